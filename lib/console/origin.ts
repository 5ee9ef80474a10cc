/**
 * Whether a page of this origin may use the cookie of this host: `Origin` and `Host` name the same place (RFC 6454). Browsers always send
 * `Origin` with a WebSocket handshake, so one without it is refused as well. The scheme may differ: TLS can end in front of Cumulus.
 */
export function isSameOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined || host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  if (protocol !== "http:" && protocol !== "https:") return false;
  // The URL parser drops a scheme's own port; so must the other side of the comparison.
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === originHost;
}
