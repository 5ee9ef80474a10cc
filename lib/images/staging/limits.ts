import { GIB, MIB, TIB } from "../../domain/units";

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
