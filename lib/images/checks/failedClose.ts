/**
 * What qemu-img says of writing that failed as it closed the file: it prints that and ends as if all were well (QEMU's block layer flushes its caches then, and its
 * callers are told nothing). Warnings are no failure.
 * @param stderr of a `qemu-img convert` that ended with 0
 * @returns the last of it; null when there is nothing
 */
export function failedClose(stderr: string): string | null {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "" && !/\bwarning: /i.test(line));
  return lines.at(-1)?.trim() ?? null;
}
