import { readFile, stat } from "node:fs/promises";
import { platform } from "node:os";
import { isErrno } from "./files";

/** Whom a VM's QEMU runs as. */
export interface MachineUser {
  uid: number;
  gid: number;
  /** Group that may read the images. */
  imagesGid: number;
  /** Group that may read the layers which this VM's disks became: its own QEMU, and those of VMs that build on them. */
  layersGid: number;
  /** Further groups, such as the one that may open /dev/kvm. */
  extraGids: number[];
}

/**
 * How QEMU processes are kept apart from the agent and from each other.
 *
 *     per-machine   the agent is root: each VM has a uid of its own (base + id)
 *     shared        the agent is root, but its user namespace maps too few ids: all VMs share one
 *     own           the agent is a plain user (or this is macOS): QEMU runs as that user
 */
export interface UserScheme {
  kind: "per-machine" | "shared" | "own";
  /** Null: QEMU runs as the agent's own user. */
  userOf(id: number): MachineUser | null;
}

/** For `userOf`: VMs count from 1, so that the user of work on images is none of theirs. */
export const workUserId = 0;

/** Unused by Debian, systemd and the usual container ranges (systemd's UIDS-GIDS: "1879048192…2147483647 unused"). */
const baseId = 1_900_000_000;
const idSpan = 100_000_000;
/** VMs' own groups take the first half of the span, those of their layers the second. */
const layersOffset = idSpan / 2;
/** The first of the span is the group of the images, which every VM is in: what work on images is lent is for no VM to read. */
const workGid = baseId + layersOffset;

/** The user of work on images where no VM has the same: what is forbidden to it is forbidden to no VM. Null where there is none. Pure. */
export function workUidOf(users: UserScheme): number | null {
  return users.kind === "per-machine" ? (users.userOf(workUserId)?.uid ?? null) : null;
}

/** Reads what this process may do and picks the strongest scheme. */
export async function detectUserScheme(): Promise<UserScheme> {
  if (platform() !== "linux" || process.getuid?.() !== 0) return { kind: "own", userOf: () => null };
  const extraGids = await kvmGids();
  return chooseUserScheme(await readFile("/proc/self/uid_map", "utf8"), extraGids);
}

/** The scheme for a root whose user namespace has this `uid_map` (user_namespaces(7)). Pure. */
export function chooseUserScheme(uidMap: string, extraGids: number[]): UserScheme {
  const ranges = uidMap
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([first = 0, , length = 0]) => ({ first, end: first + length }));
  const isWhole = ranges.some(({ first, end }) => first <= baseId && end >= baseId + idSpan);
  if (isWhole) {
    return {
      kind: "per-machine",
      userOf: (id) => ({
        uid: baseId + id,
        gid: id === workUserId ? workGid : baseId + id,
        imagesGid: baseId,
        layersGid: baseId + layersOffset + id,
        extraGids,
      }),
    };
  }
  // The last but two: the very last ones are nobody's and the overflow id in many systems.
  const highest = Math.max(...ranges.map(({ end }) => end)) - 3;
  const user = { uid: highest, gid: highest, imagesGid: highest, layersGid: highest, extraGids };
  return highest > 0 ? { kind: "shared", userOf: () => user } : { kind: "own", userOf: () => null };
}

async function kvmGids(): Promise<number[]> {
  try {
    const { gid, mode } = await stat("/dev/kvm");
    return (mode & 0o060) === 0o060 && gid !== 0 ? [gid] : [];
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
}

/** A command that runs `program` as the user, unable to gain rights again (setpriv(1)); unchanged for null. */
export function asUser(user: MachineUser | null, program: string, args: string[]): { program: string; args: string[] } {
  if (user === null) return { program, args };
  return {
    program: "setpriv",
    args: [
      `--reuid=${user.uid}`,
      `--regid=${user.gid}`,
      `--groups=${[user.imagesGid, ...user.extraGids].join(",")}`,
      "--no-new-privs",
      "--inh-caps=-all",
      "--bounding-set=-all",
      "--",
      program,
      ...args,
    ],
  };
}

/** The group that images belong to; null when QEMU runs as the agent's own user. */
export async function imagesGid(): Promise<number | null> {
  return (await detectUserScheme()).userOf(1)?.imagesGid ?? null;
}
