"use client";

import { Download, Plus, RefreshCw, Trash2 } from "lucide-react";
import { useState } from "react";
import { apiRequest } from "../../../lib/api/client";
import type { ImageDetail } from "../../../lib/domain/imageDetail";
import { useImages } from "../../data/hooks";
import { keys } from "../../data/keys";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { ButtonLink } from "../../ui/ButtonLink";
import { buttonClass } from "../../ui/buttonClass";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { notify } from "../../ui/notify";
import { PageHeader } from "../../ui/PageHeader";
import { ImageBadges } from "../ImageBadges";
import { deletionWords, refreshWord, whyNoDelete, whyNoRefresh } from "../imageWords";
import { useRefresh } from "./useRefresh";

/** An image's name and what can be done with it. */
export function ImageHeader({ image }: { image: ImageDetail }) {
  return (
    <PageHeader
      title={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          {image.title}
          <ImageBadges image={image} />
        </span>
      }
      description={image.description || undefined}
      actions={
        <>
          <RefreshButton image={image} />
          <a href={`${keys.image(image.id)}/file`} download className={buttonClass("secondary", "md")}>
            <Download aria-hidden />
            {image.kind === "disk" ? "Download qcow2" : "Download ISO"}
          </a>
          <DeleteButton image={image} />
          <ButtonLink href={`/vms/new?image=${image.id}`} variant="primary" icon={<Plus aria-hidden />}>
            {image.kind === "disk" ? "Create a VM" : "Install a VM"}
          </ButtonLink>
        </>
      }
    />
  );
}

function RefreshButton({ image }: { image: ImageDetail }) {
  const { refresh, isPending, error } = useRefresh(image);
  return (
    <>
      {error ? (
        <Banner tone="bad" className="w-full">
          {error}
        </Banner>
      ) : null}
      <Button
        icon={<RefreshCw aria-hidden />}
        loading={isPending}
        disabledReason={whyNoRefresh(image)}
        onClick={() => void refresh()}
      >
        {refreshWord(image)}
      </Button>
    </>
  );
}

function DeleteButton({ image }: { image: ImageDetail }) {
  const images = useImages();
  const [isAsked, setAsked] = useState(false);
  return (
    <>
      <Button
        variant="dangerGhost"
        icon={<Trash2 aria-hidden />}
        disabledReason={whyNoDelete(image)}
        onClick={() => setAsked(true)}
      >
        Delete
      </Button>
      <ConfirmDialog
        open={isAsked}
        onOpenChange={setAsked}
        title={`Delete ${image.title}?`}
        confirmLabel="Delete image"
        onConfirm={async () => {
          await apiRequest("DELETE", keys.image(image.id));
          images.reload();
          notify(`${image.title} is being deleted.`);
        }}
      >
        {deletionWords(image)}
      </ConfirmDialog>
    </>
  );
}
