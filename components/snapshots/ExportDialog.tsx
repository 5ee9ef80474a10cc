"use client";

import { Download } from "lucide-react";
import { useState } from "react";
import { useOperation } from "../data/hooks";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { buttonClass } from "../ui/buttonClass";
import { Dialog } from "../ui/Dialog";
import { ProgressBar } from "../ui/ProgressBar";
import { requestCancel, requestExport } from "./snapshotRequests";

interface ExportDialogProps {
  /** What is exported: a VM's or snapshot's name. */
  what: string;
  /** Its path in the API. */
  path: string;
  onClose: () => void;
}

/** Writes a disk into one file, and offers it for download. Closed meanwhile, the work goes on; the activity page tells of it. */
export function ExportDialog({ what, path, onClose }: ExportDialogProps) {
  const [operationId, setOperationId] = useState<number | null>(null);
  const form = useSubmit();
  const { data: operation } = useOperation(operationId);
  const file = operation?.result?.file;
  const isOpen = operationId !== null && operation?.finishedAt == null;
  const start = () => form.submit(async () => setOperationId((await requestExport(path)).id));
  const error = form.error ?? operation?.error;
  return (
    <Dialog
      open
      onOpenChange={(open) => open || onClose()}
      title={`Export ${what}`}
      description="Its whole disk as one qcow2 file that needs no other: for another host, or to make an image of it there."
      footer={
        typeof file === "string" ? (
          <a href={file} download className={buttonClass("primary", "md")}>
            <Download aria-hidden className="size-4" />
            Download
          </a>
        ) : isOpen ? (
          <Button onClick={() => void form.submit(() => requestCancel(operationId).then(() => undefined))}>
            Cancel
          </Button>
        ) : (
          <Button variant="primary" loading={form.isPending} onClick={() => void start()}>
            Export
          </Button>
        )
      }
    >
      {error ? <Banner tone="bad">{error}</Banner> : null}
      <div aria-live="polite">
        {operation ? (
          <div className="flex flex-col gap-2">
            {isOpen ? (
              <ProgressBar label={`Export ${what}`} value={operation.progress === 0 ? null : operation.progress} />
            ) : null}
            <p className="text-muted text-sm">{operation.message}</p>
          </div>
        ) : (
          <p className="text-muted text-sm">
            It is written on the host first, which takes as much room there as the disk holds. The file stays for a day.
          </p>
        )}
      </div>
    </Dialog>
  );
}
