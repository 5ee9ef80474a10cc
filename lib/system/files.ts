import { randomBytes } from "node:crypto";
import { access, type FileHandle, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes a rename or a new entry of a folder survive a power cut (fsync(2): "explicit fsync() on the directory"). */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a file's content survive a power cut, whoever wrote it. */
export async function syncFile(file: string): Promise<void> {
  const handle = await open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The end of the name of a file that `writeFileAtomic` is writing, or was when it was killed. */
export const temporaryPattern = /\.[0-9a-f]{8}\.tmp$/;

/** Replaces a file whole or not at all: readers and a crash see the old or the new content, never a part. */
export async function writeFileAtomic(path: string, content: string | Buffer, mode = 0o600): Promise<void> {
  const staged = await stageFile(path, content, mode);
  try {
    await staged.takeOver();
  } catch (error) {
    await staged.discard();
    throw error;
  }
}

export interface StagedFile {
  /** Replaces the file, whole or not at all. Needs no room on the disk any more. */
  takeOver(): Promise<void>;
  /** Leaves the file as it is. */
  discard(): Promise<void>;
}

/** Writes a file's next content beside it. */
export async function stageFile(path: string, content: string | Buffer, mode = 0o600): Promise<StagedFile> {
  const temporary = `${path}.${randomBytes(4).toString("hex")}.tmp`;
  const discard = () => rm(temporary, { force: true });
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    await discard();
    throw error;
  }
  const takeOver = async () => {
    await rename(temporary, path);
    await syncFolder(dirname(path));
  };
  return { takeOver, discard };
}

/** Whether a path leads to something that we may look at. */
export function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The file's text, or null when there is none. */
export async function readTextIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  }
}

/** The last bytes of a file as text; empty when there is no such file. */
export async function readTail(path: string, maxBytes: number): Promise<string> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return "";
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - maxBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}

export async function makeFolder(path: string, mode = 0o700): Promise<void> {
  await mkdir(path, { recursive: true, mode });
}

/** Whether a thrown value is a system error with one of these codes. */
export function isErrno(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
