import { open } from "node:fs/promises";
import { execa } from "execa";
import { z } from "zod";
import type { DiskFact, FileFact } from "../snapshot";
import { damageOf } from "./layers";

const infoSchema = z.object({ "backing-filename": z.string().optional() });
const timeoutMs = 20_000;

/**
 * Opens a disk as QEMU would, beside a QEMU that may hold it. As root: as the disk's own user, since its header is the guest's to write (had it broken
 * out) and could name other files.
 * @param isAtRest whether no QEMU has it, so that it can be looked through
 */
export async function gatherDisk(path: string, file: FileFact, isAtRest: boolean): Promise<DiskFact> {
  try {
    if (await namesDataFile(path)) return { opens: false, reason: "its header names another file to keep data in" };
    const { uid } = file;
    const info = await execa("qemu-img", ["info", "-f", "qcow2", "--force-share", "--output=json", path], {
      reject: false,
      stdin: "ignore",
      timeout: timeoutMs,
      ...(process.getuid?.() === 0 && { uid, gid: uid }),
    });
    if (info.failed)
      return { opens: false, reason: lastLine(info.stderr ?? "") || (info.shortMessage ?? "qemu-img failed") };
    const reader = process.getuid?.() === 0 ? { uid, gids: [] } : null;
    const damage = isAtRest ? await damageOf(path, reader) : null;
    return { opens: true, backingFile: infoSchema.parse(JSON.parse(info.stdout))["backing-filename"] ?? null, damage };
  } catch (error) {
    return { opens: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Bit 2 of incompatible_features, bytes 72–79 (QEMU's docs/interop/qcow2.txt): an external data file. */
async function namesDataFile(path: string): Promise<boolean> {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(80), 0, 80, 0);
    return bytesRead === 80 && buffer.readUInt32BE(4) >= 3 && (buffer.readBigUInt64BE(72) & 4n) !== 0n;
  } finally {
    await handle.close();
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
