import { listOf, type VmStatus } from "./vmStatus";

/** What may be asked about a VM's disk and memory as a whole. */
export const snapshotActions = ["snapshot", "memory-snapshot", "restore", "clone", "export", "image"] as const;
export type SnapshotAction = (typeof snapshotActions)[number];

/**
 * In which statuses an act is allowed. The button's disabled reason, the text of the 409 and the tests read this one table. A VM that failed may be
 * restored: that is what one does about it.
 */
export const snapshotActionStatuses: Record<SnapshotAction, readonly VmStatus[]> = {
  snapshot: ["running", "paused", "stopped"],
  "memory-snapshot": ["running", "paused"],
  restore: ["running", "paused", "stopped", "failed"],
  clone: ["running", "paused", "stopped"],
  export: ["running", "paused", "stopped"],
  image: ["running", "paused", "stopped"],
};

const verbs: Record<SnapshotAction, string> = {
  snapshot: "have a snapshot taken",
  "memory-snapshot": "have a snapshot taken with its memory",
  restore: "be restored",
  clone: "be cloned",
  export: "be exported",
  image: "have an image made of it",
};

/** Why an act is not allowed in a status, as a sentence; undefined when it is allowed. */
export function whyNoSnapshotAct(action: SnapshotAction, status: VmStatus): string | undefined {
  const allowed = snapshotActionStatuses[action];
  if (allowed.includes(status)) return undefined;
  return `A VM that is ${status} can't ${verbs[action]}: it must be ${listOf(allowed)}.`;
}
