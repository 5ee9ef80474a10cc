import { formatDuration } from "../../lib/browser/time";
import type { HostReport } from "../../lib/domain/host";
import type { Snapshot } from "../../lib/domain/snapshot";
import { whyNoSnapshotAct } from "../../lib/domain/snapshotActions";
import { formatBytes } from "../../lib/domain/units";
import type { Vm } from "../../lib/domain/vm";

interface ConsistencyWords {
  label: string;
  meaning: string;
}

const consistencyWords: Record<NonNullable<Snapshot["consistency"]>, ConsistencyWords> = {
  crash: {
    label: "Disk, as after a power cut",
    meaning: "What was on the disk at one instant. The guest replays its journals when it boots from it.",
  },
  filesystem: {
    label: "Disk, file systems whole",
    meaning: "The guest's file systems were at rest for the instant: nothing is left to repair.",
  },
  memory: {
    label: "Disk and memory",
    meaning:
      "Disk and memory of one instant: restored, the guest goes on where it was. Without its memory, its disk is as after a power cut; the guest's agent, where there is one, had all written out just before.",
  },
};

/** What a snapshot holds; null while it is being taken. */
export function consistencyOf({ consistency }: Pick<Snapshot, "consistency">): ConsistencyWords | null {
  return consistency === null ? null : consistencyWords[consistency];
}

/** "2 ms", "not at all"; null while it is being taken. */
export function pauseWords({ pauseMs }: Pick<Snapshot, "pauseMs">): string | null {
  if (pauseMs === null) return null;
  return pauseMs === 0 ? "not at all" : formatDuration(Math.max(1, pauseMs));
}

/** For how long a guest that runs will stand still; null: not known yet. @param host null: not known yet */
export function standstillWords(memory: boolean, host: Pick<HostReport, "memorySnapshots"> | null): string | null {
  if (memory && host?.memorySnapshots === undefined) return null;
  const short = "The guest stands still for a fraction of a second";
  if (!memory) return `${short}.`;
  return host?.memorySnapshots === "stopped"
    ? `${short}; one that changes its memory faster than that is copied, until all of it is written. The Host page says why.`
    : `${short}, longer if it has much memory and changes it faster than that is copied.`;
}

/** What it takes on the host's disk, memory included; null while it is being taken. */
export function totalBytes({ diskBytes, memoryBytes }: Pick<Snapshot, "diskBytes" | "memoryBytes">): number | null {
  return diskBytes === null ? null : diskBytes + (memoryBytes ?? 0);
}

/** What it holds of others for speed, as a sentence; null where that is nothing. */
export function foldedWords({ foldedBytes }: Pick<Snapshot, "foldedBytes">): string | null {
  if (!foldedBytes) return null;
  return `On top of that ${formatBytes(foldedBytes)} of the snapshots before it, so that the VM reads as fast as with one.`;
}

/** What a guest's clock shows once it goes on with its memory, as a sentence. */
export function clockWords({ hasGuestAgent }: Pick<Snapshot, "hasGuestAgent">): string {
  if (hasGuestAgent === null) return "Its clock is set right if its agent (qemu-guest-agent) answers.";
  return hasGuestAgent
    ? "Its clock is set right."
    : "Its clock stays as it was then, since no agent answered in the guest. Of a guest with qemu-guest-agent installed, later snapshots go on with the right time.";
}

/** How many live VMs were made from it. */
export function vmsMadeWords(count: number): string {
  return count === 1 ? "1 VM made from it" : `${count} VMs made from it`;
}

/** Who wanted it, where that was nobody by hand. */
export function originWords({ origin }: Pick<Snapshot, "origin">): string | null {
  if (origin === "safety") return "Before a restore";
  return origin === "schedule" || origin === "backup" ? "Backup" : null;
}

/** Why nothing can be made of a snapshot just now, as a sentence; undefined when it is there. */
export function whyNotUsable({ status }: Pick<Snapshot, "status">): string | undefined {
  if (status === "available") return undefined;
  return status === "creating" ? "It is still being taken." : "It is being deleted.";
}

/** Why a VM can't be put back to a snapshot just now. @param vm its VM, when that is live and known */
export function whyNotRestorable(snapshot: Snapshot, vm: Pick<Vm, "status"> | undefined): string | undefined {
  const reason = whyNotUsable(snapshot);
  if (reason) return reason;
  if (snapshot.vm.deleted) return "Its VM is destroyed: make a new VM from it instead.";
  return vm && whyNoSnapshotAct("restore", vm.status);
}
