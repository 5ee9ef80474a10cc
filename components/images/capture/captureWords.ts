import type { Snapshot } from "../../../lib/domain/snapshot";
import type { VmStatus } from "../../../lib/domain/vmStatus";

/** In which state a VM's disk is when it is copied now, as sentences. */
export function vmCopyWords(status: VmStatus): string {
  if (status === "stopped") {
    return "It is off: if it was shut down and not powered off, the copy is a clean one. It may be started meanwhile.";
  }
  const goesOn = status === "paused" ? "It stays paused" : "It goes on meanwhile";
  return `${goesOn}, and its disk is copied as of one instant, as after pulling the plug: VMs of the image repair their file systems when they first boot. For a clean copy, shut it down first, or take a snapshot and make the image from that.`;
}

const copyWords: Record<NonNullable<Snapshot["consistency"]>, string> = {
  filesystem: "Its file systems were at rest when it was taken: the copy is a clean one.",
  crash: "It was taken as after pulling the plug: VMs of the image repair their file systems when they first boot.",
  memory:
    "The memory that it holds is not taken over: to the image's VMs it is as if the plug had been pulled, and they repair their file systems when they first boot.",
};

/** The same of a snapshot's disk. */
export function snapshotCopyWords({ consistency }: Pick<Snapshot, "consistency">): string {
  return copyWords[consistency ?? "crash"];
}

/** What a captured disk brings along. */
export const keptWords =
  "What is on the disk is in the image: users, keys, programs and their data. Remove from it first what others must not have.";

/** A name for an image of something: "Before the upgrade" → "before-the-upgrade". */
export function imageNameOf(...parts: string[]): string {
  const name = parts
    .join("-")
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "")
    .slice(0, 63);
  return name === "" ? "image" : name;
}
