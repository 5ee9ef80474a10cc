import { readTextIfThere } from "../../system/files";

/** Where resolv.conf(5) is; the second is systemd-resolved's own, when the first leads to its stub on the loopback, which no namespace reaches. */
const files = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];

/** IPv4 name servers of this computer that can be asked from the namespace. */
export async function hostNameServers(): Promise<string[]> {
  for (const file of files) {
    const servers = nameServersIn((await readTextIfThere(file)) ?? "").filter((server) => !server.startsWith("127."));
    if (servers.length > 0) return servers;
  }
  return [];
}

function nameServersIn(text: string): string[] {
  return [...text.matchAll(/^nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/gm)].flatMap(([, server]) => server ?? []);
}
