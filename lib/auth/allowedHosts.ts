import { hostname, networkInterfaces } from "node:os";
import type { Settings } from "../env";

/**
 * Whether a `Host` header names this server. A page elsewhere that makes its own name point here (DNS rebinding) is refused by it. Bound to one address, that
 * address and the loopback names are ours; bound everywhere, all of this machine's addresses and its name. More by `CUMULUS_ALLOWED_HOSTS`.
 */
export function isAllowedHost(host: string | undefined, settings: Pick<Settings, "host" | "allowedHosts">): boolean {
  if (!host || !URL.canParse(`http://${host}`)) return false;
  const { hostname: name } = new URL(`http://${host}`);
  return allowedNames(settings).has(name.replace(/\.$/, "").toLowerCase());
}

function allowedNames(settings: Pick<Settings, "host" | "allowedHosts">): Set<string> {
  const names = new Set(["localhost", "127.0.0.1", "[::1]", bracketed(settings.host), ...settings.allowedHosts]);
  if (settings.host === "0.0.0.0" || settings.host === "::") {
    names.add(hostname().toLowerCase());
    for (const addresses of Object.values(networkInterfaces())) {
      for (const { address } of addresses ?? []) names.add(bracketed(address.replace(/%.*$/, "")));
    }
  }
  return names;
}

function bracketed(address: string): string {
  return (address.includes(":") ? `[${address}]` : address).toLowerCase();
}
