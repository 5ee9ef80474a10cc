import { readdir, readFile, readlink } from "node:fs/promises";
import { isErrno } from "../../system/files";
import type { ProcessFact } from "../snapshot";

/** The sockets on which a process accepts connections; null when it is another user's and we may not see them. */
export async function gatherListeners(pid: number): Promise<ProcessFact["listeners"]> {
  try {
    const inodes = await socketInodes(pid);
    const [unix, tcp, tcp6] = await Promise.all(
      ["unix", "tcp", "tcp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8")),
    );
    const own = (entries: Entry[]) => entries.filter(({ inode }) => inodes.has(inode)).map(({ name }) => name);
    return {
      unix: own(parseUnixTable(unix ?? "")),
      tcp: [...own(parseTcpTable(tcp ?? "")), ...own(parseTcpTable(tcp6 ?? ""))],
    };
  } catch (error) {
    if (isErrno(error, "EACCES", "EPERM", "ENOENT", "ESRCH", "EINVAL")) return null;
    throw error;
  }
}

interface Entry {
  inode: string;
  name: string;
}

/** Listening sockets of `/proc/net/unix` (proc(5)): Flags has __SO_ACCEPTCON. Pure. */
export function parseUnixTable(table: string): Entry[] {
  return table.split("\n").flatMap((line) => {
    const [, flags, inode, name] = /^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+) (.+)$/.exec(line) ?? [];
    const isListening = (Number.parseInt(flags ?? "0", 16) & 0x10000) !== 0;
    return inode !== undefined && name !== undefined && isListening ? [{ inode, name }] : [];
  });
}

/** Listening sockets of `/proc/net/tcp` and `tcp6` (proc(5)): state 0A; IPv4 addresses are in the byte order of a little-endian host. Pure. */
export function parseTcpTable(table: string): Entry[] {
  return table.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [address, port] = fields[1]?.split(":") ?? [];
    const inode = fields[9];
    if (fields[3] !== "0A" || address === undefined || port === undefined || inode === undefined) return [];
    const bytes = address.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
    const host = bytes.length === 4 ? bytes.reverse().join(".") : `[${address}]`;
    return [{ inode, name: `${host}:${Number.parseInt(port, 16)}` }];
  });
}

async function socketInodes(pid: number): Promise<Set<string>> {
  const links = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")),
  );
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}
