import { randomBytes } from "node:crypto";
import { chmod, chown, lstat, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { CumulusError } from "../../domain/errors";
import type { TaskReport } from "../../domain/task";
import { pathsOf } from "../../env";
import { failpoint } from "../../failpoints";
import { failedClose } from "../../images/checks/failedClose";
import { assertSelfContained, readQcow2Header } from "../../images/qcow2";
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
      // What the VM's user has written is copied, and gone before the caller makes a copy.
      const copies = user === null ? room.copies : Math.max(room.copies, 2);
      await assertSpace(dirname(targetFile), fileBytes * copies, room.reserveBytes, "the export");
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
    if (result.failed || failedClose(result.stderr) !== null) throw failure(result.stderr);
    const own = user === null ? staged : await takeBack(folder, staged, signal);
    await chmod(own, 0o600);
    await syncFile(own);
    failpoint("agent.export.written");
    await moveTo(own, targetFile);
    failpoint("agent.export.moved");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * From a user who may have become somebody's who broke out of a VM: nobody can put another file in its place once the folder is ours, and until then may have.
 * Whoever has the file open can go on writing it, whosever it is, so that its content goes into one that he never had (on Btrfs and XFS without a copy).
 * @returns that one
 */
async function takeBack(folder: string, staged: string, signal: AbortSignal): Promise<string> {
  await chown(folder, 0, 0);
  await chmod(folder, 0o700);
  const found = await lstat(staged);
  if (!found.isFile() || found.nlink !== 1) {
    throw new CumulusError(
      "internal",
      "The disk could not be exported: what was written was replaced by another file. Look at what runs as this VM's user, and stop the VM.",
    );
  }
  const own = join(folder, "own.qcow2");
  const command = confined(null, "cp", ["--reflink=auto", staged, own]);
  const copied = await execa(command.program, command.args, {
    reject: false,
    stdin: "ignore",
    env: { LC_ALL: "C" },
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  if (copied.failed) throw failure(copied.stderr);
  assertSelfContained(await readQcow2Header(own));
  return own;
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
