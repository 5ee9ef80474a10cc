import type { Readable } from "node:stream";

/** How long a sender is listened to that was refused. */
const listenMs = 30_000;

/**
 * Reads what a sender still sends that was refused, and forgets it: most look for the answer only when they have sent all, and one whose connection is cut
 * never sees it. One that takes longer is cut off.
 * @param body what it sends @param chunks the same where reading it was begun
 */
export async function discard(body: Readable, chunks: AsyncIterator<unknown> = body[Symbol.asyncIterator]()) {
  const timer = setTimeout(() => body.destroy(), listenMs);
  try {
    for (let isDone = false; !isDone; ) isDone = (await chunks.next()).done === true;
  } catch {
    // It has broken off: nobody waits for the answer.
  } finally {
    clearTimeout(timer);
    body.destroy();
  }
}
