import { networkInterfaces } from "node:os";
import { readTextIfThere } from "../../system/files";

/** Where resolv.conf(5) is; the second is systemd-resolved's own, when the first leads to its stub on the loopback, which no namespace reaches. */
const files = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];

/** Name servers of this computer. */
export interface HostNameServers {
  /** Those that can be asked from the namespace, by IPv4. */
  reachable: string[];
  /** Where there are none: those that this computer alone can ask, as its own on the loopback. */
  own: string[];
}

export async function hostNameServers(): Promise<HostNameServers> {
  const texts = await Promise.all(files.map(async (file) => (await readTextIfThere(file)) ?? ""));
  const addresses = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
  return chooseNameServers(texts, addresses);
}

/**
 * Of the first text that names one that is elsewhere; otherwise all that the first one names. Pure.
 * @param texts of resolv.conf(5) @param addresses this computer's
 */
export function chooseNameServers(texts: readonly string[], addresses: readonly string[]): HostNameServers {
  const named = texts.map((text) =>
    [...text.matchAll(/^nameserver\s+(\S+)\s*$/gm)].flatMap(([, server]) => server ?? []),
  );
  const isElsewhere = (server: string) =>
    /^\d+\.\d+\.\d+\.\d+$/.test(server) && !/^(127|0)\./.test(server) && !addresses.includes(server);
  const reachable = named.map((servers) => servers.filter(isElsewhere)).find((servers) => servers.length > 0) ?? [];
  return { reachable, own: reachable.length > 0 ? [] : (named[0] ?? []) };
}
