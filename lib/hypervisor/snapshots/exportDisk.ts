import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { CumulusError } from "../../domain/errors";
import type { TaskReport } from "../../domain/task";
import { pathsOf } from "../../env";
import { failpoint } from "../../failpoints";
import { assertSpace } from "../../images/staging/space";
import { isErrno, syncFile } from "../../system/files";
import type { MachineUser } from "../../system/machineUsers";
import type { HostContext } from "../context";
import { type BackingFile, readerOf } from "../diskFiles";
import type { ExportTarget } from "../hypervisor";
import type { Layer } from "../layers/layerStore";
import { chainOf } from "../qemu/argv";
import { confined } from "../tools";

/** Writes a chain of files as one qcow2 file, whole or not at all, with no more rights than a VM has. */
export async function exportChain(
  { settings, users }: Pick<HostContext, "settings" | "users">,
  { chain, layers, vmId }: { chain: readonly BackingFile[]; layers: readonly Layer[]; vmId: number },
  { disk: targetFile, room }: ExportTarget,
  report: TaskReport,
  signal: AbortSignal,
): Promise<void> {
  const user = readerOf({ users }, vmId, layers);
  // A folder that the VM's user passes through, in one that it doesn't see into.
  const folder = join(pathsOf(settings).layers, `.exporting-${randomBytes(4).toString("hex")}`);
  const staged = join(folder, "disk.qcow2");
  await mkdir(folder, { mode: 0o700 });
  try {
    if (user !== null) await chown(folder, user.uid, user.gid);
    const source = `json:${JSON.stringify(chainOf(chain))}`;
    if (room) {
      const fileBytes = await measure(user, source, signal);
      await assertSpace(dirname(targetFile), fileBytes * room.copies, room.reserveBytes, "the export");
    }
    // In order (without -W), so that a disk that is as it was makes the same file again: a backup then stores only what has changed.
    const args = ["convert", "-p", "-O", "qcow2", source, staged];
    const command = confined(user, "qemu-img", args);
    const convert = execa(command.program, command.args, {
      reject: false,
      stdin: "ignore",
      cancelSignal: signal,
      forceKillAfterDelay: 1000,
    });
    convert.stdout.on("data", (chunk: Buffer) => {
      const percent = /\((\d+\.\d+)\/100%\)/.exec(chunk.toString())?.[1];
      if (percent) report.progress(5 + Number(percent) * 0.9, "Writing the disk.");
    });
    const result = await convert;
    signal.throwIfAborted();
    if (result.failed) throw failure(result.stderr);
    await chmod(staged, 0o600);
    if (user !== null) await chown(staged, 0, 0);
    await syncFile(staged);
    failpoint("agent.export.written");
    await moveTo(staged, targetFile);
    failpoint("agent.export.moved");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** How many bytes the file will have, at most. */
async function measure(user: MachineUser | null, source: string, signal: AbortSignal): Promise<number> {
  const command = confined(user, "qemu-img", ["measure", "--output", "json", "-O", "qcow2", source]);
  const measured = await execa(command.program, command.args, { reject: false, stdin: "ignore", cancelSignal: signal });
  signal.throwIfAborted();
  if (measured.failed) throw failure(measured.stderr);
  return z.object({ required: z.number() }).parse(JSON.parse(measured.stdout)).required;
}

async function moveTo(staged: string, targetFile: string): Promise<void> {
  try {
    await rename(staged, targetFile);
  } catch (error) {
    if (!isErrno(error, "EXDEV")) throw error;
    throw new CumulusError("bad_request", `An export goes into the data folder, not to ${dirname(targetFile)}.`);
  }
}

function failure(words: string): CumulusError {
  if (/No space left on device/i.test(words)) {
    return new CumulusError("insufficient_capacity", "The disk of this host is too full for this export.");
  }
  return new CumulusError("internal", `The disk could not be exported: ${words.trim().split("\n").at(-1)}`);
}
