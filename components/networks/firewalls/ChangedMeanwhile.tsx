"use client";

import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";

interface ChangedMeanwhileProps {
  /** Puts what is saved into the form. */
  onLoad: () => void;
  /** Keeps what is in the form, to be saved over the other's. */
  onKeep: () => void;
}

/** Somebody else has saved the firewall that is being edited. */
export function ChangedMeanwhile({ onLoad, onKeep }: ChangedMeanwhileProps) {
  return (
    <Banner
      tone="warn"
      title="Somebody else has changed this firewall meanwhile"
      action={
        <>
          <Button size="sm" onClick={onLoad}>
            Load what is there
          </Button>
          <Button size="sm" onClick={onKeep}>
            Keep mine
          </Button>
        </>
      }
    >
      Load what is there, and your changes here are gone; or keep yours, and saving replaces the other's.
    </Banner>
  );
}
