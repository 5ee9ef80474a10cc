import { type FSWatcher, watch } from "node:fs";
import { open, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";

/**
 * Calls back with every whole line that is appended to a file from now on, also after the file was cut back to its beginning.
 * Returns the way to stop.
 */
export async function followLog(path: string, onLine: (line: string) => void): Promise<() => void> {
  let offset = (await stat(path)).size;
  let rest = "";
  let reading = Promise.resolve();

  const readOn = async () => {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      if (size < offset) offset = 0;
      const { bytesRead, buffer } = await file.read(Buffer.alloc(size - offset), 0, size - offset, offset);
      offset += bytesRead;
      const lines = (rest + buffer.toString("utf8", 0, bytesRead)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
    } finally {
      await file.close();
    }
  };
  const name = basename(path);
  const watcher: FSWatcher = watch(dirname(path), (_event, changed) => {
    if (changed === name) reading = reading.then(readOn).catch(() => undefined);
  });
  return () => watcher.close();
}
