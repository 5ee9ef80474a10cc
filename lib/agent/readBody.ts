import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { CumulusError, type FieldErrors } from "../domain/errors";
import { formatBytes } from "../domain/units";
import { maxBodyBytes } from "./protocol";

/**
 * A request's JSON body, checked. `bad_request` with the fields that are wrong; `too_large` above 4 MiB: the rest is then read
 * without being kept, since a client that still writes would not see the answer.
 */
export async function readBody<T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<T> {
  const text = await readText(request);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CumulusError("bad_request", "The body is not JSON.", { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields: FieldErrors = {};
  for (const issue of parsed.error.issues) fields[issue.path.join(".")] ??= issue.message;
  const [first] = parsed.error.issues;
  const where = first?.path.length ? first.path.join(".") : "The body";
  throw new CumulusError("bad_request", `${where} is not usable: ${first?.message}.`, { fields });
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    byteCount += chunk.length;
    if (byteCount <= maxBodyBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (byteCount > maxBodyBytes) {
    throw new CumulusError("too_large", `The body is larger than ${formatBytes(maxBodyBytes)}.`);
  }
  return Buffer.concat(chunks).toString("utf8");
}
