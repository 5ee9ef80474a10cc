import type { z } from "zod";
import { CumulusError, type FieldErrors } from "../domain/errors";

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

/** @throws `bad_request` with what is wrong with which field */
export function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields: FieldErrors = {};
  for (const issue of parsed.error.issues) {
    const path = pathOf(issue);
    fields[path] ??= messageOf(issue);
  }
  const [first] = Object.entries(fields);
  const detail = first ? (first[0] === "" ? first[1] : `${first[0]}: ${first[1]}`) : "The request is not usable.";
  throw new CumulusError("bad_request", detail, { fields });
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
  throw new CumulusError("bad_request", "The body holds a NUL character.");
}

function pathOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join(".");
  if (issue.code !== "unrecognized_keys") return path;
  return [path, issue.keys[0]].filter(Boolean).join(".");
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return "There is no such field.";
  // Of the branches of a union, the last one that got furthest says the most.
  const inner = issue.code === "invalid_union" ? issue.errors.flat().find((one) => one.code === "custom") : undefined;
  return ofNumber(inner ?? issue) ?? (inner ?? issue).message;
}

/** What is wrong with a number, where the schema says nothing of its own; undefined for other issues. */
function ofNumber(issue: z.core.$ZodIssue): string | undefined {
  if (!/^(Invalid input|Too big|Too small): expected (number|int)/.test(issue.message)) return undefined;
  if (issue.code === "too_big") {
    return issue.inclusive ? `Give ${issue.maximum} at the most.` : `Give less than ${issue.maximum}.`;
  }
  if (issue.code === "too_small") {
    return issue.inclusive ? `Give ${issue.minimum} at the least.` : `Give more than ${issue.minimum}.`;
  }
  return issue.code === "invalid_type" && issue.expected === "int" ? "Give a whole number." : "Give a number.";
}
