import * as z from "zod";
import { GIB, MIB } from "./units";

/** A named shape of a VM: what other clouds call a size or flavor. */
export const sizeSchema = z
  .object({
    name: z.string(),
    vcpus: z.number().int(),
    memoryBytes: z.number().int(),
    diskBytes: z.number().int(),
  })
  .meta({ id: "Size" });
export type Size = z.infer<typeof sizeSchema>;

export const sizes: readonly Size[] = [
  { name: "nano", vcpus: 1, memoryBytes: 256 * MIB, diskBytes: 2 * GIB },
  { name: "micro", vcpus: 1, memoryBytes: 512 * MIB, diskBytes: 5 * GIB },
  { name: "small", vcpus: 1, memoryBytes: 1 * GIB, diskBytes: 10 * GIB },
  { name: "medium", vcpus: 2, memoryBytes: 2 * GIB, diskBytes: 20 * GIB },
  { name: "large", vcpus: 4, memoryBytes: 8 * GIB, diskBytes: 80 * GIB },
];

/** The named size that these values are, or null for custom ones. */
export function nameOfShape(shape: Omit<Size, "name">): string | null {
  const { vcpus, memoryBytes, diskBytes } = shape;
  const isSo = (size: Size) => size.vcpus === vcpus && size.memoryBytes === memoryBytes && size.diskBytes === diskBytes;
  return sizes.find(isSo)?.name ?? null;
}

/** Bounds of custom values; the host's capacity is checked on top. */
export const sizeLimits = {
  vcpus: { min: 1, max: 64 },
  memoryBytes: { min: 64 * MIB, max: 1024 * GIB },
  diskBytes: { min: 64 * MIB, max: 64 * 1024 * GIB },
} as const;
