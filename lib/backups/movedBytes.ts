import { readFile } from "node:fs/promises";

/** Often enough to look smooth, seldom enough to cost nothing. */
const lookMs = 250;

/** What a program has read and written by now, of files and of the network (proc_pid_io(5)); NaN where it can't be told. */
export async function movedBytes(pid: number | undefined): Promise<{ read: number; written: number }> {
  const text = await readFile(`/proc/${pid}/io`, "utf8").catch(() => "");
  const bytesOf = (line: RegExp) => Number(line.exec(text)?.[1] ?? Number.NaN);
  return { read: bytesOf(/^rchar: (\d+)$/m), written: bytesOf(/^wchar: (\d+)$/m) };
}

/** Tells how much a program has written, as it goes on. @returns ends that */
export function watchWritten(pid: number | undefined, onWritten: (bytes: number) => void): () => void {
  let isOver = false;
  const look = async () => {
    const { written } = await movedBytes(pid);
    if (!isOver && !Number.isNaN(written)) onWritten(written);
  };
  const timer = setInterval(() => void look(), lookMs);
  return () => {
    isOver = true;
    clearInterval(timer);
  };
}
