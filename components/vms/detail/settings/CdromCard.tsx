"use client";

import { useState } from "react";
import { useSWRConfig } from "swr";
import { apiRequest } from "../../../../lib/api/client";
import { type Image, isOutOfDate } from "../../../../lib/domain/image";
import type { ChangeCdrom, Vm } from "../../../../lib/domain/vm";
import { useImages } from "../../../data/hooks";
import { keys } from "../../../data/keys";
import { ReadingState } from "../../../data/ReadingState";
import { useSubmit } from "../../../data/useSubmit";
import { Banner } from "../../../ui/Banner";
import { Button } from "../../../ui/Button";
import { Card } from "../../../ui/Card";
import { Field } from "../../../ui/Field";
import { notify } from "../../../ui/notify";
import { SegmentedControl } from "../../../ui/SegmentedControl";
import { Select } from "../../../ui/Select";
import { TextLink } from "../../../ui/TextLink";
import { discsAmong, discWords } from "./discs";

/** The disc in a VM's drive, changed at any time, and what it boots from. */
export function CdromCard({ vm }: { vm: Vm }) {
  const { mutate } = useSWRConfig();
  const images = useImages();
  const isos = discsAmong(images.data ?? []);
  const drive = useSubmit();
  const order = useSubmit();
  const error = drive.error ?? order.error;
  const change = (form: typeof drive, changes: ChangeCdrom, done: string) =>
    form.submit(async () => {
      await apiRequest("PUT", `/api/vms/${vm.id}/cdrom`, changes);
      await mutate(keys.vm(vm.id));
      notify(done);
    });
  return (
    <Card
      title="CD-ROM"
      description={driveWords(vm, isos)}
      actions={
        vm.cdrom ? (
          <Button
            size="sm"
            loading={drive.isPending}
            onClick={() => void change(drive, { image: null }, `The disc of ${vm.name} is being ejected.`)}
          >
            Eject
          </Button>
        ) : null
      }
    >
      <div className="flex flex-col gap-4">
        {error ? <Banner tone="bad">{error}</Banner> : null}
        <ReadingState reading={images} what="images">
          {(all) => (
            <DiscPicker
              isos={discsAmong(all)}
              present={vm.cdrom?.id ?? null}
              isPending={drive.isPending}
              onInsert={({ id, title }) =>
                void change(drive, { image: id }, `${title} goes into the drive of ${vm.name}.`)
              }
            />
          )}
        </ReadingState>
        <div>
          <p className="mb-1 font-medium text-sm">Boots from</p>
          <SegmentedControl
            label="Boots from"
            value={vm.bootFrom}
            onChange={(bootFrom) =>
              void change(order, { bootFrom }, `${vm.name} is to boot from its ${orderWords[bootFrom]} first.`)
            }
            options={[
              { value: "disk", label: "Disk first" },
              { value: "cdrom", label: "CD-ROM first" },
            ]}
          />
          <p className="mt-1 text-muted text-xs">
            Counts from its next reboot. What nothing boots from is passed over.
          </p>
        </div>
      </div>
    </Card>
  );
}

function driveWords({ cdrom, isCdromChanging }: Vm, isos: Image[]): string {
  if (!cdrom) return isCdromChanging ? "The disc is being ejected." : "The drive is empty.";
  const disc = isos.find(({ id }) => id === cdrom.id);
  const words = disc ? discWords(disc, isos) : cdrom.title;
  return isCdromChanging ? `${words} is being put into the drive.` : `${words} is in the drive.`;
}

const orderWords = { disk: "disk", cdrom: "CD-ROM" } as const;

interface DiscPickerProps {
  isos: Image[];
  /** The id of the disc in the drive. */
  present: number | null;
  isPending: boolean;
  onInsert: (disc: Image) => void;
}

function DiscPicker({ isos, present, isPending, onInsert }: DiscPickerProps) {
  const others = isos.filter(({ id }) => id !== present);
  const [wanted, setWanted] = useState<number>();
  const chosen = others.find(({ id }) => id === wanted) ?? others.find((disc) => !isOutOfDate(disc)) ?? others[0];
  if (!chosen) {
    return (
      <p className="text-muted text-sm">
        {present ? "There is no other ISO image." : "There is no ISO image yet."}{" "}
        <TextLink href="/images">Add one on the images page.</TextLink>
      </p>
    );
  }
  return (
    <div className="flex flex-wrap items-end gap-3">
      <Field label={present ? "Another ISO image" : "ISO image"} className="min-w-0 max-w-md flex-1">
        {(control) => (
          <Select {...control} value={chosen.id} onChange={(event) => setWanted(Number(event.target.value))}>
            {others.map((disc) => (
              <option key={disc.id} value={disc.id}>
                {discWords(disc, isos)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Button loading={isPending} onClick={() => onInsert(chosen)}>
        {present ? "Change" : "Insert"}
      </Button>
    </div>
  );
}
