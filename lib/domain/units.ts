export const KIB = 1024;
export const MIB = 1024 ** 2;
export const GIB = 1024 ** 3;
export const TIB = 1024 ** 4;

const factors: Record<string, number> = { "": 1, K: KIB, M: MIB, G: GIB, T: TIB };

/** Bytes from `"512M"`, `"10G"`, `"1.5 GiB"` or a plain number; binary units. Undefined when it is no size. */
export function parseBytes(text: string): number | undefined {
  const match = /^\s*(\d{1,15}(?:\.\d{1,3})?)\s*([KMGT]?)(?:i?B)?\s*$/i.exec(text);
  if (!match) return undefined;
  const bytes = Number(match[1]) * (factors[(match[2] ?? "").toUpperCase()] ?? 1);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** "2 GiB", "512 MiB", "1.5 GiB": at most one decimal, binary units. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}
