import { type Size, sizeLimits } from "../../../lib/domain/size";
import { GIB, KIB, MIB, parseBytes } from "../../../lib/domain/units";

/** Which size is chosen, as it stands in a form: texts as typed, so that what is half typed is kept. */
export interface SizeChoice {
  /** A size's name, or null for the custom values. */
  size: string | null;
  custom: { vcpus: string; memory: string; disk: string };
}

export interface Shape {
  vcpus: number;
  memoryBytes: number;
  diskBytes: number;
}

export const vcpusProblem = `Give a number from ${sizeLimits.vcpus.min} to ${sizeLimits.vcpus.max}.`;

/** The quantities that are chosen; null while a custom value is none. */
export function shapeOf(choice: SizeChoice, sizes: readonly Size[]): Shape | null {
  if (choice.size !== null) return sizes.find((size) => size.name === choice.size) ?? null;
  const vcpus = vcpusOf(choice.custom.vcpus);
  const memoryBytes = parseBytes(choice.custom.memory);
  const diskBytes = parseBytes(choice.custom.disk);
  if (vcpus === undefined || memoryBytes === undefined || diskBytes === undefined) return null;
  return { vcpus, memoryBytes, diskBytes };
}

/** The choice as the API takes it. */
export function sizeRequestOf({ size, custom }: SizeChoice) {
  if (size !== null) return { size };
  return { vcpus: vcpusOf(custom.vcpus) ?? 0, memory: custom.memory.trim(), disk: custom.disk.trim() };
}

/** A shape as custom values to go on from. */
export function customOf(shape: Shape): SizeChoice["custom"] {
  return { vcpus: String(shape.vcpus), memory: byteText(shape.memoryBytes), disk: byteText(shape.diskBytes) };
}

/** Bytes as the API reads them, exactly: "512M", "10G". */
export function byteText(bytes: number): string {
  if (bytes % GIB === 0) return `${bytes / GIB}G`;
  if (bytes % MIB === 0) return `${bytes / MIB}M`;
  return bytes % KIB === 0 ? `${bytes / KIB}K` : String(bytes);
}

function vcpusOf(text: string): number | undefined {
  return /^\s*\d{1,4}\s*$/.test(text) ? Number(text) : undefined;
}
