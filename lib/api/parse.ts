import type { z } from "zod";
import { CumulusError, type FieldErrors } from "../domain/errors";
import { plainWords } from "../domain/plainWords";

/** No request is larger: the largest are a VM's files. */
export const maxBodyBytes = 4 * 1024 ** 2;

/** The body as JSON, reading no more of it than the cap. An empty one is `undefined`. @throws `too_large`, `bad_request` */
export async function readJson(request: Request): Promise<unknown> {
  const text = await readText(request);
  if (text === "") return undefined;
  try {
    return JSON.parse(text, refuseNul);
  } catch (cause) {
    if (cause instanceof CumulusError) throw cause;
    throw new CumulusError("bad_request", "The body is not JSON.", { cause });
  }
}

/** @throws `bad_request` with what is wrong with which field, or with the value as a whole */
export function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value, { error: plainWords });
  if (parsed.success) return parsed.data;
  const fields: FieldErrors = {};
  const ofAll: string[] = [];
  for (const issue of parsed.error.issues) {
    const path = pathOf(issue);
    if (path === "") ofAll.push(issue.message);
    else fields[path] ??= issue.message;
  }
  const [first] = Object.entries(fields).map(([field, message]) => `${field}: ${message}`);
  throw new CumulusError("bad_request", ofAll[0] ?? first ?? "The request is not usable.", { fields });
}

async function readText(request: Request): Promise<string> {
  const tooLarge = () =>
    new CumulusError("too_large", `The body is larger than ${maxBodyBytes / 1024 ** 2} MiB, the most that is taken.`);
  if (Number(request.headers.get("content-length") ?? 0) > maxBodyBytes) throw tooLarge();
  if (!request.body) return "";
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  for (let size = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > maxBodyBytes) {
      await reader.cancel();
      throw tooLarge();
    }
    chunks.push(value);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new CumulusError("bad_request", "The body is not UTF-8.", { cause });
  }
}

/** PostgreSQL's text holds no NUL, and no field of ours needs one. */
function refuseNul(_key: string, value: unknown): unknown {
  if (typeof value !== "string" || !value.includes("\0")) return value;
  throw new CumulusError(
    "bad_request",
    "The body holds a NUL character, which no text may. A file with one can be given as base64.",
  );
}

function pathOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join(".");
  if (issue.code !== "unrecognized_keys") return path;
  return [path, issue.keys[0]].filter(Boolean).join(".");
}
