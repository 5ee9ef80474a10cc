import type { Operation, OperationKind } from "../../lib/domain/operation";
import type { Tone } from "../ui/tone";

/** What people call the kinds of operations. */
export const kindWords: Record<OperationKind, string> = {
  create: "Create",
  start: "Start",
  stop: "Power off",
  shutdown: "Shut down",
  reboot: "Reboot",
  reset: "Reset",
  pause: "Pause",
  resume: "Resume",
  resize: "Resize",
  rename: "Rename",
  destroy: "Destroy",
  crash: "Crashed",
  "guest-shutdown": "Shut itself down",
  "change-media": "Change CD-ROM",
  "change-interfaces": "Change interfaces",
  "guest-eject": "Ejected its CD-ROM",
  "image-download": "Download image",
  "image-upload": "Upload image",
  "image-build": "Build image",
  "image-customize": "Apply recipe",
  "image-capture": "Make image",
  "image-remove": "Remove image",
  "snapshot-take": "Snapshot",
  "snapshot-restore": "Restore snapshot",
  "snapshot-remove": "Delete snapshot",
  clone: "Clone",
  export: "Export",
  import: "Import",
  backup: "Back up",
  "backup-restore": "Restore backup",
  "backup-remove": "Remove backup",
};

export const statusWords: Record<Operation["status"], { label: string; tone: Tone; moving: boolean }> = {
  pending: { label: "Waiting", tone: "info", moving: true },
  running: { label: "Running", tone: "info", moving: true },
  done: { label: "Done", tone: "ok", moving: false },
  failed: { label: "Failed", tone: "bad", moving: false },
  superseded: { label: "Superseded", tone: "neutral", moving: false },
  cancelled: { label: "Cancelled", tone: "neutral", moving: false },
};

export function isUnderWay({ status }: Operation): boolean {
  return status === "pending" || status === "running";
}

/** From the asking to the end in milliseconds; null while it is under way. */
export function operationDurationMs({ createdAt, finishedAt }: Operation): number | null {
  return finishedAt === null ? null : Date.parse(finishedAt) - Date.parse(createdAt);
}

/** What it is about, unless that is its VM, which is named anyway. */
export function subjectBesideVm({ subject, vm }: Pick<Operation, "subject" | "vm">): string | null {
  return subject === vm?.name ? null : subject;
}

export const operationFilters = ["all", "running", "failed"] as const;
export type OperationFilter = (typeof operationFilters)[number];

/** Those operations that a filter and a search text leave. Text is looked for in the kind, subject, VM, person, message and error. */
export function filterOperations(operations: Operation[], filter: OperationFilter, text: string): Operation[] {
  const wanted = text.trim().toLowerCase();
  return operations.filter((operation) => {
    if (filter === "running" && !isUnderWay(operation)) return false;
    if (filter === "failed" && operation.status !== "failed") return false;
    const { kind, vm, subject, actor, message, error } = operation;
    return [kindWords[kind], vm?.name, subject, actor, message, error].some((part) =>
      part?.toLowerCase().includes(wanted),
    );
  });
}
