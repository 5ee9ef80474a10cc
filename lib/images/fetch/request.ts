import type { lookup } from "node:dns";
import http from "node:http";
import https from "node:https";
import { CumulusError, messageOf } from "../../domain/errors";
import { cumulusVersion } from "../../version";
import { type AllowedHosts, isAllowedHost, parseImageUrl } from "./hostRules";
import { assertPublicIfAddress, publicLookup } from "./lookup";

export interface FetchRules {
  allowedHosts: AllowedHosts;
  /** From the request to the answer's first byte. */
  answerTimeoutMs: number;
  /** Without a byte of the body. */
  stallTimeoutMs: number;
  /** The system's name resolution, unless a test has its own. */
  resolve?: typeof lookup;
}

export const defaultFetchRules = { answerTimeoutMs: 30_000, stallTimeoutMs: 60_000 };

const maxRedirects = 5;
const redirectStatuses = [301, 302, 303, 307, 308];

export interface Answer {
  /** After redirects. */
  url: URL;
  response: http.IncomingMessage;
}

/**
 * Gets an address, following up to five redirects. Each hop is held to the rules: http(s), and to public addresses unless the host is
 * allowed. Once an address was https, it stays so if `staysSecure`. The body is the caller's to read or destroy; it fails when it stalls.
 *
 * @throws `bad_request` for what the rules forbid; `unavailable` where nobody answers
 */
export async function openUrl(
  start: URL,
  { headers = {}, staysSecure = false }: { headers?: http.OutgoingHttpHeaders; staysSecure?: boolean },
  rules: FetchRules,
  signal: AbortSignal,
): Promise<Answer> {
  let url = start;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const response = await get(url, headers, rules, signal);
    const { location } = response.headers;
    if (!redirectStatuses.includes(response.statusCode ?? 0) || location === undefined) return { url, response };
    response.destroy();
    const next = parseImageUrl(location, url);
    if (staysSecure && url.protocol === "https:" && next.protocol !== "https:") {
      throw new CumulusError(
        "bad_request",
        `${url.host} leads to an address without encryption, where its checksum could be forged.`,
      );
    }
    url = next;
  }
  throw new CumulusError(
    "bad_request",
    `${start.host} leads from one address to the next, more than ${maxRedirects} times.`,
  );
}

async function get(
  url: URL,
  headers: http.OutgoingHttpHeaders,
  rules: FetchRules,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const isAllowed = isAllowedHost(url, rules.allowedHosts);
  if (!isAllowed) assertPublicIfAddress(url.hostname);
  const { request: send } = url.protocol === "https:" ? https : http;
  const request = send(url, {
    signal,
    agent: false,
    headers: { "user-agent": `Cumulus/${cumulusVersion}`, "accept-encoding": "identity", ...headers },
    ...(!isAllowed && { lookup: publicLookup(rules.resolve) }),
  });
  const silent = new CumulusError(
    "unavailable",
    `${url.host} did not answer within ${rules.answerTimeoutMs / 1000} s.`,
  );
  const timer = setTimeout(() => request.destroy(silent), rules.answerTimeoutMs);
  try {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      request.once("response", resolve).on("error", reject).end();
    });
    response.setTimeout(rules.stallTimeoutMs, () => {
      const message = `${url.host} sent nothing for ${rules.stallTimeoutMs / 1000} s.`;
      response.destroy(new CumulusError("unavailable", message));
    });
    return response;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CumulusError) throw error;
    throw new CumulusError("unavailable", `${url.host} can't be reached: ${messageOf(error)}.`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** The text at an address. @throws as `openUrl` does; `unavailable` for any other status than 200; `too_large` above `maxBytes` */
export async function fetchText(url: URL, maxBytes: number, rules: FetchRules, signal: AbortSignal): Promise<string> {
  const { response } = await openUrl(url, { staysSecure: true }, rules, signal);
  try {
    assertStatus(url, response, [200]);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response) {
      bytes += chunk.length;
      if (bytes > maxBytes)
        throw new CumulusError("too_large", `What lies at ${url.href} is too large for a list of checksums.`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  } finally {
    response.destroy();
  }
}

/**
 * @param wasThere whether what is asked for was there before: who hasn't it now is a mirror of others that have, or gets it back
 * @throws `unavailable` for a status that may be another one soon, `bad_request` for one that stays
 */
export function assertStatus(
  url: URL,
  { statusCode = 0, statusMessage }: http.IncomingMessage,
  wanted: number[],
  wasThere = false,
): void {
  if (wanted.includes(statusCode)) return;
  const said = `${url.host} answers ${statusCode} ${statusMessage ?? ""}`.trim();
  if (statusCode >= 500 || statusCode === 408 || statusCode === 429) {
    throw new CumulusError("unavailable", `${said}: try again later.`);
  }
  if (wasThere) {
    throw new CumulusError("unavailable", `${said} for ${url.pathname}, which was there before: try again later.`);
  }
  throw new CumulusError("bad_request", `${said} for ${url.pathname}: see that the address is right.`);
}
