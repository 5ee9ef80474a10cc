import { CumulusError } from "../../domain/errors";
import type { ChangeFeed } from "../changeFeed";
import type { Actor, Context } from "../context";
import { destroyVm } from "../vms/destroy";
import { waitForPower } from "./waitForPower";

/**
 * Holds until a new VM runs, also for a client that is gone. One whose disk the host can't make is gone when that is told, as if nobody had asked: nothing
 * lists it, and its name is free.
 * One that has a disk and doesn't start stays, to be started again.
 * @throws `conflict` with the reason when it fails, `unavailable` after five minutes
 */
export async function waitForNew(context: Context, changes: ChangeFeed, actor: Actor, id: number): Promise<void> {
  try {
    await waitForPower(context, changes, id, "running");
  } catch (error) {
    const hasFailed = error instanceof CumulusError && error.code === "conflict";
    if (!hasFailed || !(await isAbsent(context, id))) throw error;
    await destroyVm(context, actor, id, { withSnapshots: false });
    await waitForPower(context, changes, id, "gone");
    throw new CumulusError("conflict", `create disk failed: ${error.message}`, { cause: error });
  }
}

/** Asks the host itself: what was seen of it last may be of before the disk was made. Of one that can't say, it is not known. */
async function isAbsent({ agent }: Context, id: number): Promise<boolean> {
  try {
    return (await agent.observe(id)).state === "absent";
  } catch (error) {
    if (error instanceof CumulusError) return false;
    throw error;
  }
}
