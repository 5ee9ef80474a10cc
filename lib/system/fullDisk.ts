import { CumulusError } from "../domain/errors";
import { isErrno } from "./files";

export const fullDiskWords = "The disk of this host is full: free some space and try again.";

/** What a write that found no room means to who asked; any other error as it is. */
export function explainFullDisk(error: unknown): unknown {
  if (!isErrno(error, "ENOSPC", "EDQUOT")) return error;
  return new CumulusError("insufficient_capacity", fullDiskWords, { cause: error });
}
