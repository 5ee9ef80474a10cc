import { movedBytes } from "./movedBytes";

/** What a program must read and write at the least to count as getting on: asking in vain takes less. */
const leastBytes = 64 * 1024;
const looksPerLimit = 10;

/**
 * Watches by what a program reads and writes whether it gets on. Where the system doesn't tell, it always does.
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
    const { read, written } = await movedBytes(pid);
    const now = read + written - chatter();
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
