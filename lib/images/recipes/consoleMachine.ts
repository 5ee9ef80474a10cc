import { type ChildProcess, spawn } from "node:child_process";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { Arch, Firmware } from "../../domain/arch";
import { CumulusError, messageOf } from "../../domain/errors";
import type { Accelerator } from "../../domain/host";
import { MIB } from "../../domain/units";
import { makeUefiVars } from "../../hypervisor/disk";
import { pflash } from "../../hypervisor/qemu/argv";
import { findFirmware } from "../../hypervisor/qemu/firmware";
import { asUser, detectUserScheme, workUserId } from "../../system/machineUsers";
import { mortal } from "../../system/mortal";

const leastMemoryMib = 1024;

export interface ConsoleMachine {
  arch: Arch;
  firmware: Firmware;
  minMemoryBytes: number;
  /** The overlay that takes the changes, and the image below it. */
  disk: string;
  image: string;
  /** The image's own UEFI variables; null: it has none. */
  variables: string | null;
  /** A folder for the machine's copy of them, which nobody keeps: an image's variables stay its own. */
  workDir: string;
  accelerator: Pick<Accelerator, "kind" | "cpuModel">;
}

/** How a machine ended. */
export interface MachineEnd {
  /** It was turned off. */
  isWell: boolean;
  /** What QEMU said of it, else how it ended. */
  complaint: string;
}

export interface RunningMachine {
  /** Its serial console. */
  from: Readable;
  to: Writable;
  /** Settles when it is gone, and never fails. */
  ended: Promise<MachineEnd>;
  end(): Promise<MachineEnd>;
}

/**
 * Starts a disk in a machine without a network and without rights on this host, for as long as it is used: it is gone afterwards, however that went.
 * @param use is to listen to the console at once: nothing is kept of what is said before
 * @throws CumulusError `unavailable`; what `use` throws
 */
export async function withMachine<T>(
  machine: ConsoleMachine,
  use: (running: RunningMachine) => Promise<T>,
): Promise<T> {
  const firmware = await findFirmware(machine.arch, machine.firmware);
  const vars = join(machine.workDir, "uefi-vars.fd");
  if (firmware !== null) await makeUefiVars(firmware, machine.variables, vars, null);
  const user = (await detectUserScheme()).userOf(workUserId);
  const argv = consoleArgv(machine, firmware?.code ?? null);
  const { program, args } = mortal(asUser(user, `qemu-system-${machine.arch}`, argv));
  // The files are lent to QEMU open, so that its user needs no way to them.
  const files: FileHandle[] = [];
  try {
    files.push(await open(machine.disk, "r+"));
    files.push(await open(machine.image, "r"));
    if (firmware !== null) files.push(await open(vars, "r+"));
    const qemu = spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe", ...files.map(({ fd }) => fd)],
      cwd: "/",
      env: { NODE_ENV: process.env.NODE_ENV, PATH: process.env.PATH, LANG: "C.UTF-8" },
    });
    const ended = endOf(qemu);
    const end = () => {
      qemu.kill("SIGKILL");
      return ended;
    };
    try {
      const { stdin: to, stdout: from } = qemu;
      // They are missing where this process has no descriptor left.
      if (!to || !from) throw new CumulusError("unavailable", `QEMU could not be started: ${(await ended).complaint}`);
      return await use({ from, to, ended, end });
    } finally {
      await end();
    }
  } finally {
    for (const file of files) await file.close();
  }
}

function endOf(qemu: ChildProcess): Promise<MachineEnd> {
  let complaint = "";
  qemu.stderr?.on("data", (chunk: Buffer) => {
    complaint = `${complaint}${chunk}`.slice(-1000);
  });
  return new Promise((resolve) => {
    qemu.once("close", (exitCode, signal) => {
      const how = signal === null ? `exit status ${exitCode}` : `it was ended by ${signal}`;
      resolve({ isWell: exitCode === 0, complaint: complaint.trim() || how });
    });
    qemu.on("error", (error) => {
      if (qemu.pid === undefined) resolve({ isWell: false, complaint: messageOf(error) });
    });
  });
}

/**
 * QEMU with a disk, a serial console on its own input and output, and nothing else. Pure.
 * @param uefiCode null for BIOS
 */
function consoleArgv({ arch, accelerator, minMemoryBytes }: ConsoleMachine, uefiCode: string | null): string[] {
  const flash = uefiCode === null ? "" : ",pflash0=uefi-code,pflash1=uefi-vars";
  const type = arch === "x86_64" ? "q35" : "virt,gic-version=max";
  const memoryMib = Math.max(leastMemoryMib, Math.ceil(minMemoryBytes / MIB));
  const blockdev = {
    driver: "qcow2",
    "node-name": "disk0",
    file: { driver: "file", filename: "/dev/fdset/1" },
    backing: {
      driver: "qcow2",
      "read-only": true,
      backing: null,
      file: { driver: "file", filename: "/dev/fdset/2", "read-only": true },
    },
  };
  return [
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-nic", "none"],
    ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ...["-machine", `${type},accel=${accelerator.kind}${flash}`, "-cpu", accelerator.cpuModel],
    ...["-m", `${memoryMib}M`, "-add-fd", "fd=3,set=1", "-add-fd", "fd=4,set=2"],
    ...(uefiCode === null
      ? []
      : [
          ...["-add-fd", "fd=5,set=3"],
          ...pflash("uefi-code", uefiCode, true),
          ...pflash("uefi-vars", "/dev/fdset/3", false),
        ]),
    ...["-blockdev", JSON.stringify(blockdev), "-device", "virtio-blk-pci,drive=disk0"],
    ...["-object", "rng-builtin,id=rng0", "-device", "virtio-rng-pci,rng=rng0"],
    ...["-chardev", "stdio,id=serial0,signal=off", "-serial", "chardev:serial0"],
  ];
}
