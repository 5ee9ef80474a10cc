import { spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Arch, Firmware } from "../../domain/arch";
import { CumulusError } from "../../domain/errors";
import type { Accelerator } from "../../domain/host";
import type { Recipe, RecipeStepOf } from "../../domain/recipe";
import type { TaskReport } from "../../domain/task";
import { MIB } from "../../domain/units";
import { makeUefiVars } from "../../hypervisor/disk";
import { pflash } from "../../hypervisor/qemu/argv";
import { findFirmware } from "../../hypervisor/qemu/firmware";
import { withDeadline } from "../../system/deadline";
import { asUser, detectUserScheme, workUserId } from "../../system/machineUsers";
import { mortal } from "../../system/mortal";
import { Conversation } from "./conversation";

const leastMemoryMib = 1024;
/** How long a guest that was told to turn itself off may take. */
const powerOffMs = 300_000;

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

/**
 * Starts a disk in a machine without a network, types a recipe's steps on its serial console, and waits until it has turned itself
 * off: the recipe's last step has it do that. The machine is gone afterwards, however it went.
 * @throws CumulusError `bad_request`: the console never said what a step waits for, or the machine stays on
 */
export async function runOnConsole(
  machine: ConsoleMachine,
  recipe: Recipe,
  { report, signal }: { report: TaskReport; signal: AbortSignal },
): Promise<void> {
  const firmware = await findFirmware(machine.arch, machine.firmware);
  const vars = join(machine.workDir, "uefi-vars.fd");
  if (firmware !== null) await makeUefiVars(firmware, machine.variables, vars, null);
  // The files are lent to QEMU open, so that its user needs no way to them.
  const files: FileHandle[] = [];
  try {
    files.push(await open(machine.disk, "r+"), await open(machine.image, "r"));
    if (firmware !== null) files.push(await open(vars, "r+"));
    const user = (await detectUserScheme()).userOf(workUserId);
    const argv = consoleArgv(machine, firmware?.code ?? null);
    const { program, args } = mortal(asUser(user, `qemu-system-${machine.arch}`, argv));
    const qemu = spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe", ...files.map(({ fd }) => fd)],
      cwd: "/",
      env: { NODE_ENV: process.env.NODE_ENV, PATH: process.env.PATH, LANG: "C.UTF-8" },
    });
    const gone = once(qemu, "close");
    try {
      const { stdin, stdout, stderr } = qemu;
      if (!stdin || !stdout || !stderr) throw new Error("QEMU was started without its streams.");
      let complaint = "";
      stderr.on("data", (chunk: Buffer) => {
        complaint = `${complaint}${chunk}`.slice(-1000);
      });
      const secrets = passwordsIn(recipe);
      const conversation = new Conversation(stdout, stdin, (line) => report.log(line), secrets);
      await follow(conversation, recipe, report, signal);
      await turnedOff(gone, signal);
      if (qemu.exitCode === 0) return;
      throw new CumulusError("internal", `The machine ended with an error: ${complaint.trim()}`);
    } finally {
      qemu.kill("SIGKILL");
      await gone;
    }
  } finally {
    for (const file of files) await file.close();
  }
}

async function follow(conversation: Conversation, recipe: Recipe, report: TaskReport, signal: AbortSignal) {
  const steps = recipe.steps.filter((step): step is RecipeStepOf<"console"> => step.type === "console");
  for (const [index, { expect, send, timeoutSeconds }] of steps.entries()) {
    const words = JSON.stringify(expect);
    report.progress(10 + (70 * index) / steps.length, `waits for ${words} on the console`);
    const isSaid = await conversation.waitFor(expect, timeoutSeconds * 1000, signal);
    signal.throwIfAborted();
    if (!isSaid) {
      throw new CumulusError(
        "bad_request",
        `Step ${index + 1}: the console did not say ${words} within ${timeoutSeconds} s. It last said: ${conversation.lastWords}`,
      );
    }
    if (send !== undefined) conversation.type(`${send}\r`);
  }
}

/** What is typed where a password is asked for. */
function passwordsIn({ steps }: Recipe): string[] {
  const answers = steps.filter((step) => step.type === "console" && /pass(word|phrase)/i.test(step.expect));
  return answers.flatMap((step) => (step.type === "console" && step.send ? [step.send] : []));
}

async function turnedOff(gone: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const isLate = await withDeadline(powerOffMs, signal, async (deadline) => {
    if (!deadline.aborted) await Promise.race([gone, once(deadline, "abort")]);
    return deadline.aborted;
  });
  signal.throwIfAborted();
  if (!isLate) return;
  throw new CumulusError(
    "bad_request",
    `The machine was still on ${powerOffMs / 1000} s after the last step: let the recipe end with one that turns it off, such as "poweroff".`,
  );
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
