/**
 * Does work that is to end at a deadline.
 *
 * `AbortSignal.any([signal, AbortSignal.timeout(ms)])` is no way to do that: nothing but the timer holds the inner signal, and not firmly, so that it may be
 * garbage-collected and never abort (Node 20).
 * @param signal that ends it sooner
 * @param work is given a signal that aborts at the deadline, or with the other signal and its reason
 */
export async function withDeadline<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  work: (deadline: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const follow = () => deadline.abort(signal?.reason);
  if (signal?.aborted) follow();
  const timer = setTimeout(
    () => deadline.abort(new DOMException(`It took longer than ${timeoutMs / 1000} s.`, "TimeoutError")),
    timeoutMs,
  );
  signal?.addEventListener("abort", follow);
  try {
    return await work(deadline.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", follow);
  }
}
