import { createInterface } from "node:readline";
import { messageOf } from "../../../domain/errors";

/** Answers requests `{ id, method, args }` on stdin by `{ id, value }` or `{ id, error }` on stdout, a line each; "ready" to none comes first. */
export async function answerLines(call: (method: string, args: unknown[]) => Promise<unknown>): Promise<void> {
  const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
  say({ id: 0, value: "ready" });
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, args } = JSON.parse(line);
    call(method, args).then(
      (value) => say({ id, value: value ?? null }),
      (error: unknown) => say({ id, error: messageOf(error) }),
    );
  }
}

const silent = () => {};

/** Says errors on stderr, and nothing else. */
export const errorLog = {
  debug: silent,
  info: silent,
  warn: silent,
  error: (fields: object, message: string) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
};
