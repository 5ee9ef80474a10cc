import { proxiedHeader } from "../../auth/proxied";
import { CumulusError } from "../../domain/errors";
import type { Settings } from "../../env";

const loopbackNames = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Why a request of the lab's interface needs a token, or null when it needs none: in lab mode, for whoever is at this machine. Where a guest reaches
 * this machine's loopback as if it were a program here, everybody needs one.
 * @param whyReached why guests may reach this machine's loopback; null when none does
 */
export function whyTokenIsNeeded(
  settings: Pick<Settings, "isLab" | "host">,
  whyReached: string | null,
  headers: Headers,
): string | null {
  if (!settings.isLab) return "Without CUMULUS_LAB=1 this needs a token.";
  if (!loopbackNames.has(bracketed(settings.host))) {
    return "Lab mode needs no token only when HOST is a loopback address.";
  }
  if (isFromElsewhere(headers) || !isLoopbackHost(headers.get("host"))) return "Requests from elsewhere need a token.";
  return whyReached === null ? null : `${whyReached} So lab mode needs a token.`;
}

/** @throws `forbidden` when a page of another site asks: a browser at this machine would let it */
export function refuseOtherSites(headers: Headers): void {
  const origin = headers.get("origin");
  if (origin === null || origin === `http://${headers.get("host")}`) return;
  throw new CumulusError("forbidden", "A page of another site can't ask this.");
}

/** Whether a proxy passed it on, or a page has a browser at this machine ask: also one of another port, which browsers call the same site. */
function isFromElsewhere(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site") ?? "none";
  return headers.get(proxiedHeader) !== "no" || (site !== "none" && site !== "same-origin");
}

function isLoopbackHost(host: string | null): boolean {
  if (host === null || !URL.canParse(`http://${host}`)) return false;
  return loopbackNames.has(new URL(`http://${host}`).hostname);
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
