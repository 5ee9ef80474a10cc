import { setTimeout as delay } from "node:timers/promises";
import { CumulusError } from "../../domain/errors";
import { isErrno } from "../../system/files";
import { assertSpace } from "./space";

const lookEveryMs = 500;

/** What the programs that images are made with say of a full disk. */
const fullWords = /No space left on device|Disk quota exceeded|(not|n't have) enough (free |disk )*space/i;

/**
 * Does work for as long as its folder's disk keeps its reserve: how much other programs write can't be told beforehand, and QEMU, for one,
 * stops on a full disk and waits instead of failing.
 * @param work ends when the signal that it is given is aborted
 * @throws `insufficient_capacity`; what `work` throws
 */
export async function withRoom<T>(
  folder: string,
  reserveBytes: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  await assertSpace(folder, 0, reserveBytes);
  const full = new AbortController();
  const ended = new AbortController();
  const watching = watch(folder, reserveBytes, full, ended.signal);
  try {
    return await work(AbortSignal.any([signal, full.signal]));
  } catch (error) {
    signal.throwIfAborted();
    full.signal.throwIfAborted();
    throw fullDiskError(error);
  } finally {
    ended.abort();
    await watching;
  }
}

async function watch(folder: string, reserveBytes: number, full: AbortController, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    try {
      await delay(lookEveryMs, undefined, { signal: ended });
      await assertSpace(folder, 0, reserveBytes);
    } catch (error) {
      if (error instanceof CumulusError) return full.abort(error);
    }
  }
}

/** What went wrong, in words for who asked: a disk that is full is no fault of the program. */
export function fullDiskError(error: unknown): unknown {
  if (error instanceof CumulusError && error.code === "insufficient_capacity") return error;
  const isFull = isErrno(error, "ENOSPC", "EDQUOT") || fullWords.test(wordsOf(error));
  if (!isFull) return error;
  return new CumulusError("insufficient_capacity", "This host's disk is full: free some space and try again.", {
    cause: error,
  });
}

/** All that an error says, a program's last words among it. */
function wordsOf(error: unknown): string {
  if (typeof error === "string") return error;
  return error instanceof Error ? `${error.message}\n${wordsOf(error.cause)}` : "";
}
