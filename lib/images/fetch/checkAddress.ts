import type { Settings } from "../../env";
import { allowedHostsOf, isAllowedHost, parseImageUrl } from "./hostRules";
import { assertPublicIfAddress } from "./lookup";

/**
 * What an address says by itself, without asking anybody: its scheme, credentials, and a host that is an address. What a name leads to is seen when it is
 * fetched. @throws `bad_request` with `fields.url` for what would be refused then
 */
export function checkImageAddress(text: string, settings: Pick<Settings, "imageHosts" | "imageMirror">): void {
  const url = parseImageUrl(text);
  if (!isAllowedHost(url, allowedHostsOf(settings))) assertPublicIfAddress(url.hostname);
}
