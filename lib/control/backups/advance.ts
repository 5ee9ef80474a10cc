import type { Context } from "../context";
import { copyWaiting } from "./copy";
import { retryCopies } from "./copyAgain";
import { retryCopyRemovals } from "./copyRemoval";
import { takeDueBackups } from "./due";
import { removeExpired } from "./retention";

/**
 * Brings all backups a step on: snapshots that are due, copies of snapshots that are there, copies that failed once more, removal of what is past its retention. Woken every minute by
 * the worker's clock and by whoever asks for a backup, and by the end of a snapshot. Each part reads rows and is right whenever and however often it is called.
 */
export async function advanceBackups(context: Context): Promise<void> {
  await takeDueBackups(context);
  await retryCopies(context);
  await copyWaiting(context);
  await removeExpired(context);
  await retryCopyRemovals(context);
}
