"use client";

import { Download } from "lucide-react";
import { useState } from "react";
import type { ExportFormat } from "../../lib/domain/vmArchive";
import { useOperation } from "../data/hooks";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { buttonClass } from "../ui/buttonClass";
import { Dialog } from "../ui/Dialog";
import { ProgressBar } from "../ui/ProgressBar";
import { RadioCards } from "../ui/RadioCards";
import { requestCancel, requestExport } from "./snapshotRequests";

interface ExportDialogProps {
  /** What is exported: a VM's or snapshot's name. */
  what: string;
  /** Its path in the API. */
  path: string;
  onClose: () => void;
}

const formats: Record<ExportFormat, { title: string; content: string }> = {
  archive: {
    title: "Whole VM (.tar)",
    content:
      "Its disk, size, firmware, UEFI variables and SSH keys: “Import a VM” brings it back, here or on another host.",
  },
  qcow2: {
    title: "Disk alone (.qcow2)",
    content: "One file that needs no other: for QEMU and other programs, or to make an image of it.",
  },
};

/** Writes a VM into one file, and offers it for download. Closed meanwhile, the work goes on; the activity page tells of it. */
export function ExportDialog({ what, path, onClose }: ExportDialogProps) {
  const [format, setFormat] = useState<ExportFormat>("archive");
  const [operationId, setOperationId] = useState<number | null>(null);
  const form = useSubmit();
  const { data: operation } = useOperation(operationId);
  const file = operation?.result?.file;
  const isOpen = operationId !== null && operation?.finishedAt == null;
  const start = () => form.submit(async () => setOperationId((await requestExport(path, format)).id));
  const error = form.error ?? operation?.error;
  return (
    <Dialog
      open
      onOpenChange={(open) => open || onClose()}
      title={`Export ${what}`}
      description="As one file that needs no other."
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
          <div className="flex flex-col gap-3">
            <RadioCards
              label="What to export"
              value={format}
              onChange={setFormat}
              className="grid-cols-1"
              options={(["archive", "qcow2"] as const).map((value) => ({
                value,
                content: (
                  <>
                    <span className="block font-medium">{formats[value].title}</span>
                    <span className="mt-0.5 block text-muted text-xs">{formats[value].content}</span>
                  </>
                ),
              }))}
            />
            <p className="text-muted text-sm">
              It is written on the host first, which needs room there for{" "}
              {format === "archive" ? "the disk twice" : "a copy of the disk"} meanwhile. The file stays for a day.
            </p>
          </div>
        )}
      </div>
    </Dialog>
  );
}
