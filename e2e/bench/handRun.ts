import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { type MachineSpec, machineSpecSchema, sshHostPortOf } from "../../lib/domain/machine";
import { pathsOf } from "../../lib/env";
import { machinePaths } from "../../lib/hypervisor/machinePaths";
import { seedFiles } from "../../lib/hypervisor/seed";
import { imageFile } from "../../lib/images/store";
import { freePort } from "../../lib/system/testing/freePort";
import type { Stack } from "../stack";
import { qemuPidOf } from "./vms";

/**
 * The baseline of what Cumulus does: the command line of a VM's QEMU, run by hand on a new overlay of the same image and a seed of its own,
 * with nobody who watches it.
 */
export class HandRun {
  private qemu: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly argv: readonly string[],
    private readonly spec: MachineSpec,
    private readonly image: string,
    /** Leads to the guest's SSH. */
    readonly sshPort: number,
  ) {}

  /** Takes the command line from a VM that runs. */
  static async like(stack: Stack, vmId: number): Promise<HandRun> {
    const paths = machinePaths(stack.settings, vmId);
    const spec = machineSpecSchema.parse(JSON.parse(await readFile(paths.spec, "utf8")));
    const commandLine = await readFile(`/proc/${await qemuPidOf(stack, vmId)}/cmdline`, "utf8");
    const folder = await mkdtemp(join(tmpdir(), "cumulus-hand-"));
    const sshPort = await freePort();
    const argv = commandLine
      .replaceAll(paths.folder, folder)
      .replaceAll(paths.runFolder, folder)
      .replaceAll(`tcp:127.0.0.1:${sshHostPortOf(spec)}-`, `tcp:127.0.0.1:${sshPort}-`)
      .split("\0")
      // Cumulus lets the guest go when it holds the VM's sockets; by hand it runs at once.
      .filter((argument) => argument !== "" && argument !== "-S");
    for (const [name, content] of Object.entries(seedFiles(spec.seed))) await writeFile(join(folder, name), content);
    const image = imageFile(pathsOf(stack.settings), spec.disk.imageSha256 ?? "");
    return new HandRun(folder, argv, spec, image, sshPort);
  }

  /** Makes overlay and seed. */
  async make(): Promise<void> {
    const { folder, spec, image } = this;
    const disk = join(folder, "disk.qcow2");
    const backing = ["-b", image, "-F", "qcow2"];
    await execa("qemu-img", ["create", "-q", "-f", "qcow2", ...backing, disk, String(spec.disk.sizeBytes)]);
    const sources = Object.keys(seedFiles(spec.seed)).map((name) => join(folder, name));
    const iso = ["-quiet", "-V", "cidata", "-J", "-R", "-o", join(folder, "seed.iso")];
    await execa("genisoimage", [...iso, ...sources]);
  }

  /** Resolves when the process has started. */
  async start(): Promise<void> {
    const [program = "", ...args] = this.argv;
    // In a session of its own as Cumulus' are: the kernel shares processor time out between sessions (sched(7), autogroup).
    this.qemu = spawn(program, args, { stdio: "ignore", detached: true });
    await once(this.qemu, "spawn");
  }

  async end(): Promise<void> {
    const { qemu } = this;
    this.qemu = undefined;
    if (!qemu || qemu.exitCode !== null || qemu.signalCode !== null) return;
    const ended = once(qemu, "exit");
    qemu.kill("SIGKILL");
    await ended;
  }

  async remove(): Promise<void> {
    await this.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}
