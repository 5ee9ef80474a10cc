import type { SnapshotFile } from "../../domain/snapshotFile";

/** A word of a guestfish command: in double quotes, with all but plain characters as bytes (guestfish(1), "Escape sequences in double quoted arguments"). */
export function quoted(text: string | Buffer): string {
  const bytes = Buffer.from(text);
  const escaped = [...bytes].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[\w./+@ -]/.test(character) ? character : `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

/** An entry of a folder, by the bytes of its name. */
export type Entry = Omit<SnapshotFile, "name" | "isOpenable" | "link"> & { name: Buffer };

/** Whether bytes are what they are as text, and so come back as the same bytes. */
export function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString("utf8")).equals(bytes);
}

/** The bits of a mode that tell the type (inode(7)). */
const fileTypes = new Map<number, SnapshotFile["type"]>([
  [0o040000, "folder"],
  [0o100000, "file"],
  [0o120000, "link"],
]);

/**
 * What guestfish prints for `lstatnslist`: a block `[0] = { st_mode: 33188 … }` for each name, in the order of the names. One that is gone has no inode and is left out.
 */
export function parseStats(text: string, names: readonly Buffer[]): Entry[] {
  const blocks = [...text.matchAll(/^\[(\d+)\] = \{$([^}]*)\}/gm)];
  return blocks.flatMap(([, index, fields = ""]) => {
    const name = names[Number(index)];
    const value = (field: string) => Number(new RegExp(`^\\s*st_${field}: (-?\\d+)$`, "m").exec(fields)?.[1] ?? 0);
    if (name === undefined || value("ino") <= 0) return [];
    const mode = value("mode");
    return [
      {
        name,
        type: fileTypes.get(mode & 0o170000) ?? "other",
        sizeBytes: Math.max(0, value("size")),
        permissions: (mode & 0o7777).toString(8).padStart(4, "0"),
        modifiedAt: new Date(Math.min(Math.max(value("mtime_sec"), 0), 253_402_300_799) * 1000).toISOString(),
      },
    ];
  });
}

/** What `inspect-get-mountpoints` prints, outer folders first: `/: /dev/sda3`. */
export function parseMountpoints(text: string): { folder: string; device: string }[] {
  const lines = text.split("\n").flatMap((line) => {
    const match = /^(\/\S*): (\/dev\/\S+)$/.exec(line);
    return match ? [{ folder: match[1] ?? "/", device: match[2] ?? "" }] : [];
  });
  return lines.sort((a, b) => a.folder.length - b.folder.length);
}

/** What `list-filesystems` prints, without those that hold no files: `/dev/sda1: ext4`. */
export function parseFilesystems(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const match = /^(\/dev\/\S+): (\S+)$/.exec(line);
    return match && !["swap", "unknown", "crypto_LUKS"].includes(match[2] ?? "") ? [match[1] ?? ""] : [];
  });
}
