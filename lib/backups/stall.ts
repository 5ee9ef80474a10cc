import { readFile } from "node:fs/promises";

/** What a program must read and write at the least to count as getting on: asking in vain takes less. */
const leastBytes = 64 * 1024;
const looksPerLimit = 10;

/**
 * Watches by what a program reads and writes, of files and of the network, whether it gets on (proc_pid_io(5)). Where the system doesn't tell,
 * it always does.
 * @param chatter bytes that it has written by now which say nothing
 * @returns ends the watch
 */
export function watchForStall(
  pid: number | undefined,
  limitMs: number,
  chatter: () => number,
  onStalled: () => void,
): () => void {
  let moved = 0;
  let sinceMs = Date.now();
  const look = async () => {
    const now = (await bytesMoved(pid)) - chatter();
    if (now - moved < leastBytes) {
      if (Date.now() - sinceMs >= limitMs) onStalled();
      return;
    }
    moved = now;
    sinceMs = Date.now();
  };
  const timer = setInterval(() => void look(), limitMs / looksPerLimit);
  return () => clearInterval(timer);
}

/** All that a program has read and written; NaN where it can't be told. */
async function bytesMoved(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/io`, "utf8").catch(() => "");
  const [read, written] = [/^rchar: (\d+)$/m, /^wchar: (\d+)$/m].map((line) => Number(line.exec(text)?.[1]));
  return (read ?? Number.NaN) + (written ?? Number.NaN);
}
