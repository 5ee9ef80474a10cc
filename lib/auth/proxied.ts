import type { IncomingHttpHeaders } from "node:http";

/**
 * Header in which our HTTP server, and nobody else, says whether a request came through a proxy: `yes` or `no`. Next.js adds X-Forwarded-* to every request, so later
 * nobody can tell.
 */
export const proxiedHeader = "x-cumulus-proxied";

const proxyHeaders = new Set(["forwarded", "via", "x-real-ip"]);

/** Whether a request's headers, as they arrived, hold a proxy's word. Pure. */
export function isProxied(headers: IncomingHttpHeaders): boolean {
  return Object.keys(headers).some((name) => proxyHeaders.has(name) || name.startsWith("x-forwarded-"));
}
