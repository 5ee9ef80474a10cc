import type { Arch } from "../../domain/arch";
import { MIB } from "../../domain/units";
import type { HostContext } from "../context";
import { whyMemoryStopsGuests } from "./userfaultfd";

/** The machine whose memory is kept. */
export interface MemoryOwner {
  arch: Arch;
  memoryBytes: number;
}

/** A machine's own, beside the guest's memory: its firmware with the variables, the state of its devices, and its screen's (virtio-gpu's: up to 256 MiB, "max_hostmem"). */
const ownBytes: Record<Arch, number> = { x86_64: 32 * MIB, aarch64: 400 * MIB };
/** QEMU puts a header of 8 bytes before a page of 4 KiB, and of up to 32 where the page is of another memory than the one before. A page of zeros is 9 bytes. */
const pagesPerHeaders = 128;

/** What may be written between two looks at a copy, and of a guest under KVM while it is held for the rest. */
export const betweenLooksBytes = 256 * MIB;

/** The most that a memory takes in a file when each page is written once: of a guest that stands still, or whose pages are protected. */
export function onceBytes({ arch, memoryBytes }: MemoryOwner): number {
  const bytes = memoryBytes + ownBytes[arch];
  return bytes + Math.ceil(bytes / pagesPerHeaders);
}

/** The most when it is copied while the guest runs: what the guest changed meanwhile is there twice. */
export function copiedBytes(owner: MemoryOwner): number {
  return 2 * onceBytes(owner) + betweenLooksBytes;
}

/**
 * The most that the memory of a guest takes on this host's disk, in the way in which it would be kept now. No file becomes larger: `MemoryReceiver` sees to it.
 * There need not be so much room: a copy that has too little is given up, and then `onceBytes` do.
 */
export async function mostBytes(
  { copiesMemoryAboveBytes }: Pick<HostContext, "copiesMemoryAboveBytes">,
  owner: MemoryOwner,
): Promise<number> {
  const isCopied = owner.memoryBytes > copiesMemoryAboveBytes || (await whyMemoryStopsGuests()) !== null;
  return isCopied ? copiedBytes(owner) : onceBytes(owner);
}
