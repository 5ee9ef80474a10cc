import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { Conversation } from "./conversation";

const never = new AbortController().signal;

function converse() {
  const machine = new PassThrough();
  const typed = new PassThrough();
  const lines: string[] = [];
  return { machine, typed, lines, conversation: new Conversation(machine, typed, (line) => lines.push(line)) };
}

test("a text is waited for however it is cut, and read once", async () => {
  const { machine, conversation } = converse();
  const waiting = conversation.waitFor("login: ", 5_000, never);
  for (const part of ["Debian lo", "gi", "n: "]) machine.write(part);
  expect(await waiting).toBe(true);
  expect(await conversation.waitFor("login: ", 20, never)).toBe(false);
  machine.write("again login: ");
  expect(await conversation.waitFor("login: ", 5_000, never)).toBe(true);
});

test("the wait is over when the machine ends or the work is cancelled", async () => {
  const { machine, conversation } = converse();
  const cancel = new AbortController();
  const cancelled = conversation.waitFor("never", 60_000, cancel.signal);
  cancel.abort();
  expect(await cancelled).toBe(false);
  const ended = conversation.waitFor("never", 60_000, never);
  machine.end("last \x1b[1;32mwords\x1b[0m\r\n");
  expect(await ended).toBe(false);
  expect(conversation.lastWords).toBe('"last words"');
});

test("a password that the machine shows as it is typed is told nobody", async () => {
  const machine = new PassThrough();
  const lines: string[] = [];
  const conversation = new Conversation(machine, new PassThrough(), (line) => lines.push(line), ["s3cret"]);
  machine.write("Password: s3cret\r\ns3cret again");
  expect(await conversation.waitFor("Password: ", 5_000, never)).toBe(true);
  expect(lines).toEqual(["Password: …"]);
  expect(conversation.lastWords).not.toContain("s3cret");
});

test("whole lines are told without control sequences", async () => {
  const { machine, lines, conversation } = converse();
  machine.write("\x1b[0;32m  OK  \x1b[0m done\r\nnot yet");
  expect(await conversation.waitFor("not yet", 5_000, never)).toBe(true);
  expect(lines).toEqual(["  OK   done"]);
});
