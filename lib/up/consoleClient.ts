import { readFile } from "node:fs/promises";
import { z } from "zod";
import { CumulusError, messageOf } from "../domain/errors";
import { pathsOf, type Settings } from "../env";
import { isErrno } from "../system/files";

const healthSchema = z.object({ status: z.string(), needsSetup: z.boolean().optional() });
const linkSchema = z.object({ url: z.string() });
const problemSchema = z.object({ detail: z.string() });

const timeoutMs = 5_000;

/** Where this machine reaches the console. */
export function consoleUrl({ host, port }: Pick<Settings, "host" | "port">): string {
  if (host === "0.0.0.0") return `http://127.0.0.1:${port}`;
  if (host === "::") return `http://[::1]:${port}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

export interface Health {
  isOk: boolean;
  /** Whether the administrator has no password yet. */
  needsSetup: boolean;
}

/** What the console says of itself and the parts behind it; undefined when it doesn't answer. */
export async function readHealth(settings: Settings): Promise<Health | undefined> {
  try {
    const response = await fetch(`${consoleUrl(settings)}/api/health`, { signal: AbortSignal.timeout(timeoutMs) });
    const health = healthSchema.parse(await response.json());
    return { isOk: response.status === 200 && health.status === "ok", needsSetup: health.needsSetup ?? false };
  } catch {
    return undefined;
  }
}

/**
 * A sign-in link that works once.
 * @param reset forgets the administrator's password, so that the link leads to setting a new one
 */
export async function makeSignInLink(settings: Settings, reset = false): Promise<string> {
  const response = await callAsAdministrator(settings, "POST", "/api/sign-in-links", { reset });
  return linkSchema.parse(response).url;
}

/**
 * The administrator's token, which only this machine's administrator can read.
 * @throws `unavailable` when it isn't there, or not for us
 */
export async function adminToken(settings: Settings): Promise<string> {
  try {
    return (await readFile(pathsOf(settings).adminToken, "utf8")).trim();
  } catch (cause) {
    const why = isErrno(cause, "ENOENT")
      ? `${settings.dataDir} is no data folder of Cumulus: run \`npm run up\` first, or set CUMULUS_DATA_DIR to the folder that it uses.`
      : `The administrator's token can't be read (${messageOf(cause)}): call this as the user that runs \`npm run up\`.`;
    throw new CumulusError("unavailable", why, { cause });
  }
}

/** A call with the administrator's token. */
export async function callAsAdministrator(
  settings: Settings,
  method: "GET" | "POST",
  path: string,
  body: object = {},
): Promise<unknown> {
  const token = await adminToken(settings);
  let response: Response;
  try {
    response = await fetch(`${consoleUrl(settings)}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: method === "POST" ? JSON.stringify(body) : undefined,
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (cause) {
    throw new CumulusError(
      "unavailable",
      `Cumulus does not answer at ${consoleUrl(settings)}: start it with \`npm run up\`.`,
      {
        cause,
      },
    );
  }
  const answer: unknown = response.status === 204 ? undefined : await response.json();
  if (response.ok) return answer;
  throw new CumulusError(
    "unavailable",
    problemSchema.safeParse(answer).data?.detail ?? `The console answered ${response.status}.`,
  );
}
