import { sizeLimits } from "../../domain/size";
import { GIB, MIB, TIB } from "../../domain/units";
import { mostVmFileBytes } from "../../domain/vmArchive";

/** How much an image that somebody brings may take, at each of its stages. In bytes. */
export interface ImageLimits {
  /** The file as it comes. */
  fileBytes: number;
  /** What it is unpacked to, zeros counted. */
  expandedBytes: number;
  /** What it takes on this host's disk, unpacked and as an image. */
  allocatedBytes: number;
  /** The disk as a guest sees it. */
  virtualBytes: number;
  /** What must stay free on the host's disk. */
  reserveBytes: number;
}

export const defaultImageLimits: ImageLimits = {
  fileBytes: 64 * GIB,
  expandedBytes: 256 * GIB,
  allocatedBytes: 64 * GIB,
  virtualBytes: 2 * TIB,
  reserveBytes: 512 * MIB,
};

/** The same for a VM, with a disk as large as any may be: what keeps it from filling the host is that the free room is looked at before it comes, and as it does. */
export const vmLimits: ImageLimits = {
  ...defaultImageLimits,
  // The rest is what a tar says of them.
  fileBytes: Object.values(mostVmFileBytes).reduce((sum, bytes) => sum + bytes, MIB),
  virtualBytes: sizeLimits.diskBytes.max,
};
