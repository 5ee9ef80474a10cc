import { once } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { withDeadline } from "./deadline";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const never = new AbortController().signal;

test("a deadline comes though garbage is collected while it is waited for", { timeout: 10_000 }, async () => {
  const reason = await withDeadline(200, never, async (deadline) => {
    const late = once(deadline, "abort");
    const collecting = setInterval(collectGarbage, 20);
    await late.finally(() => clearInterval(collecting));
    return deadline.reason;
  });
  expect(reason).toMatchObject({ name: "TimeoutError" });
});

test("the other signal ends the work sooner, with its reason, also when it has aborted already", async () => {
  const cancel = new AbortController();
  const wait = async (deadline: AbortSignal) => {
    if (!deadline.aborted) await once(deadline, "abort");
    return deadline.reason;
  };
  const cancelled = withDeadline(60_000, cancel.signal, wait);
  cancel.abort("not wanted");
  expect(await cancelled).toBe("not wanted");
  expect(await withDeadline(60_000, cancel.signal, wait)).toBe("not wanted");
});
