import { setTimeout as delay } from "node:timers/promises";

/** Waits for a condition; fails when the deadline has passed. */
export async function until<T>(condition: () => Promise<T> | T, timeoutMs = 60_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  while (true) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${condition}`);
    await delay(10);
  }
}

/** Waits until a list has not grown for a second: what was under way has come, and nothing comes after it. */
export async function untilQuiet(lines: readonly string[]): Promise<void> {
  let [length, looks] = [lines.length, 0];
  // Looks are counted, not time: between two of them what has come is read, however late it is.
  await until(() => {
    looks = lines.length === length ? looks + 1 : 0;
    length = lines.length;
    return looks > 100;
  }, 20_000);
}
