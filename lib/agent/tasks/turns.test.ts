import { expect, test } from "vitest";
import { Turns } from "./turns";

const never = new AbortController().signal;

function job(turns: Turns, signal = never) {
  const places: number[] = [];
  let end = () => {};
  let hasBegun = false;
  let begin = () => {};
  const began = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const done = turns.run(
    signal,
    (ahead) => places.push(ahead),
    () =>
      new Promise<void>((resolve) => {
        hasBegun = true;
        begin();
        end = resolve;
      }),
  );
  return { places, done, began, hasBegun: () => hasBegun, end: () => end() };
}

test("work waits for its turn, and is told how many come before", async () => {
  const turns = new Turns(1);
  const [first, second, third] = [job(turns), job(turns), job(turns)];
  expect([first, second, third].map((one) => one.hasBegun())).toEqual([true, false, false]);
  expect(third.places.at(-1)).toBe(2);
  first.end();
  await second.began;
  expect(third.hasBegun()).toBe(false);
  expect(third.places.at(-1)).toBe(1);
  second.end();
  await third.began;
  third.end();
  await Promise.all([first.done, second.done, third.done]);
});

test("one that is cancelled while it waits is passed over, and one that fails gives its turn on", async () => {
  const turns = new Turns(1);
  const failing = turns.run(
    never,
    () => {},
    () => Promise.reject(new Error("no")),
  );
  const cancel = new AbortController();
  const cancelled = job(turns, cancel.signal);
  const last = job(turns);
  cancel.abort("not wanted");
  await expect(cancelled.done).rejects.toBe("not wanted");
  await expect(failing).rejects.toThrow("no");
  expect(cancelled.hasBegun()).toBe(false);
  await last.began;
  last.end();
  await last.done;
});
