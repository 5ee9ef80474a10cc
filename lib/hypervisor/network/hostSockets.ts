import { networkInterfaces } from "node:os";
import type { ListeningSocket } from "../../domain/hostNetwork";
import { readTextIfThere } from "../../system/files";

/** State of a socket that waits: TCP's LISTEN, and UDP's without a peer (include/net/tcp_states.h). */
const sources = [
  { file: "/proc/net/tcp", protocol: "tcp", state: "0A" },
  { file: "/proc/net/tcp6", protocol: "tcp", state: "0A" },
  { file: "/proc/net/udp", protocol: "udp", state: "07" },
  { file: "/proc/net/udp6", protocol: "udp", state: "07" },
] as const;

/** IPv4 addresses of this computer. @param exceptLink one whose addresses nobody outside may know */
export function hostAddresses(exceptLink?: string): string[] {
  return Object.entries(networkInterfaces()).flatMap(([link, addresses]) =>
    link === exceptLink
      ? []
      : (addresses ?? []).filter(({ family }) => family === "IPv4").map(({ address }) => address),
  );
}

/** Sockets of this computer's programs that IPv4 packets come to. */
export async function listeningSockets(): Promise<ListeningSocket[]> {
  const found = await Promise.all(
    sources.map(async ({ file, protocol, state }) =>
      parseSockets((await readTextIfThere(file)) ?? "", protocol, state),
    ),
  );
  return found.flat();
}

/** Lines of proc_net_tcp(5): `sl local_address rem_address st …`, addresses as words of the machine's byte order, which is little-endian. */
export function parseSockets(text: string, protocol: ListeningSocket["protocol"], state: string): ListeningSocket[] {
  return text.split("\n").flatMap((line) => {
    const [, local = "", , present] = line.trim().split(/\s+/);
    const [hex = "", port = ""] = local.split(":");
    const address = present === state ? ipv4Of(hex) : undefined;
    return address === undefined ? [] : [{ address, port: Number.parseInt(port, 16), protocol }];
  });
}

/** IPv6's "all addresses" takes IPv4 too, unless the program forbade it; undefined for other IPv6 addresses. */
function ipv4Of(hex: string): string | undefined {
  const mapped = /^0{16}FFFF0000([0-9A-F]{8})$/.exec(hex)?.[1] ?? (hex.length === 8 ? hex : undefined);
  if (mapped === undefined) return /^0{32}$/.test(hex) ? "0.0.0.0" : undefined;
  return [3, 2, 1, 0].map((byte) => Number.parseInt(mapped.slice(byte * 2, byte * 2 + 2), 16)).join(".");
}
