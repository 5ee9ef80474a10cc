import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { CumulusError } from "../../domain/errors";
import type { BackingFile } from "../diskFiles";

/** Whoever takes QMP commands: a VM's QEMU, or a storage daemon. */
export interface QmpPeer {
  execute(command: string, args?: object, timeoutMs?: number): Promise<unknown>;
}

const jobId = "cumulus-merge";
const pollMs = 200;
const jobsSchema = z.array(z.object({ id: z.string(), status: z.string(), error: z.string().optional() }));

/**
 * Copies into a node what is above its new base, and has it build on that ("block-stream", qapi/block-core.json). What the node reads as stays the same
 * all the while, so it may be given up at any moment, and what was copied stays copied.
 * @param base null: nothing is below
 */
export async function beginStream(peer: QmpPeer, node: string, base: BackingFile | null): Promise<void> {
  await peer.execute("block-stream", {
    "job-id": jobId,
    device: node,
    // Named, since QEMU's own name of a node over a long chain doesn't fit into a header.
    ...(base !== null && { "base-node": base.nodeName, "backing-file": base.path }),
    "auto-dismiss": false,
  });
}

/** Resolves when the stream is over. Rejects with its error, `conflict` when it was cancelled, and the signal's reason. */
export async function streamEnded(peer: QmpPeer, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const job = await findStream(peer);
    if (job === null) throw new CumulusError("conflict", "The merge was given up.");
    if (job.status === "concluded") {
      await peer.execute("job-dismiss", { id: jobId });
      if (job.error === undefined) return;
      const isFull = /No space left/i.test(job.error);
      throw new CumulusError(isFull ? "insufficient_capacity" : "internal", `The merge failed: ${job.error}`);
    }
    await delay(pollMs, undefined, { signal });
  }
}

/** Gives up a stream, if there is one; resolves when it is gone. */
export async function cancelStream(peer: QmpPeer): Promise<void> {
  for (;;) {
    const job = await findStream(peer);
    if (job === null) return;
    if (job.status === "concluded") await peer.execute("job-dismiss", { id: jobId }).catch(() => undefined);
    else await peer.execute("job-cancel", { id: jobId }).catch(() => undefined);
    await delay(20);
  }
}

async function findStream(peer: QmpPeer): Promise<{ status: string; error?: string | undefined } | null> {
  const jobs = jobsSchema.parse(await peer.execute("query-jobs"));
  return jobs.find(({ id }) => id === jobId) ?? null;
}
