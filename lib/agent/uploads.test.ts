import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { CumulusError } from "../domain/errors";
import { UploadDesk } from "./uploads";

const upload = (content: string) => ({ body: Readable.from([Buffer.from(content)]), contentLength: content.length });
const never = new AbortController().signal;

test("sender and task meet, whoever comes first", async () => {
  const desk = new UploadDesk();
  const early = desk.bring(1, upload("first"));
  expect(await desk.take(1, never, ({ body }) => text(body))).toBe("first");
  await early;

  const waiting = desk.take(2, never, ({ body }) => text(body));
  await desk.bring(2, upload("second"));
  expect(await waiting).toBe("second");
});

test("the sender is told what the task says of the file", async () => {
  const desk = new UploadDesk();
  const refusal = new CumulusError("too_large", "This is too much.");
  const taken = desk.take(1, never, () => Promise.reject(refusal));
  await Promise.all([expect(desk.bring(1, upload("x"))).rejects.toBe(refusal), expect(taken).rejects.toBe(refusal)]);
});

test("one upload has one sender", async () => {
  const desk = new UploadDesk();
  const first = desk.bring(1, upload("x"));
  await expect(desk.bring(1, upload("y"))).rejects.toMatchObject({ code: "conflict" });
  expect(await desk.take(1, never, ({ body }) => text(body))).toBe("x");
  await first;
});

test("nobody waits for ever", async () => {
  const desk = new UploadDesk(10);
  await expect(desk.take(1, never, async () => "")).rejects.toMatchObject({ code: "bad_request" });
  await expect(desk.bring(2, upload("x"))).rejects.toMatchObject({ code: "not_found" });
  // What was late leaves nothing: the next meeting is a new one.
  const sent = desk.bring(2, upload("z"));
  expect(await desk.take(2, never, ({ body }) => text(body))).toBe("z");
  await sent;
});

test("a cancelled task frees its sender", async () => {
  const desk = new UploadDesk();
  const cancel = new AbortController();
  const waiting = desk.take(1, cancel.signal, async () => "");
  cancel.abort(new Error("cancelled"));
  await expect(waiting).rejects.toThrow("cancelled");
});
