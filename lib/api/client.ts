import type { ErrorCode } from "../domain/errors";

/** What the server said about a request that it refused: a problem document (RFC 9457). Its message is the `detail`. */
export class ApiProblem extends Error {
  /** HTTP status; 0 when there was no answer at all. */
  readonly status: number;
  readonly code: ErrorCode | string;
  /** For people: what happened, why, and what to do. */
  readonly detail: string;
  /** Messages by the path of the field that they are about. */
  readonly fields: Record<string, string>;

  constructor(status: number, code: string, detail: string, fields: Record<string, string> = {}) {
    super(detail);
    this.name = "ApiProblem";
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.fields = fields;
  }
}

interface RequestOptions {
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

/**
 * Asks Cumulus' API from the browser, with the session's cookie.
 * @param path "/api/vms/1"
 * @param body sent as JSON when given
 * @returns the answer's JSON; undefined for an answer without a body
 * @throws {ApiProblem} when it was refused or not answered; the `AbortError` when `signal` ended it
 */
export async function apiRequest<T>(
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
  { signal, headers }: RequestOptions = {},
): Promise<T> {
  const init: RequestInit = { method, headers: { accept: "application/json", ...headers } };
  if (signal) init.signal = signal;
  if (method !== "GET") {
    // Also without a body: the server takes mutations by cookie only with this type, which other origins can't send unasked.
    init.headers = { ...init.headers, "content-type": "application/json" };
    init.body = JSON.stringify(body ?? {});
  }
  const response = await fetch(path, init).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new ApiProblem(0, "unavailable", "Cumulus doesn't answer. Check that it runs and that you are online.");
  });
  const text = await response.text();
  if (!response.ok) throw problemOf(response.status, text);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** What an answer with a status ≥ 400 says. */
export function problemOf(status: number, text: string): ApiProblem {
  const said = parseObject(text);
  const detail = firstText(said.detail, said.message, said.title) ?? `The server answered ${status}.`;
  const fields = typeof said.fields === "object" && said.fields !== null ? (said.fields as Record<string, string>) : {};
  return new ApiProblem(status, firstText(said.code) ?? "internal", detail, fields);
}

/** The JSON object in a text; an empty one when it holds none, as the error pages of proxies do. */
function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function firstText(...values: unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === "string" && value !== "");
}
