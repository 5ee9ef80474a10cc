import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import type { Arch, Firmware } from "../../domain/arch";
import { CumulusError } from "../../domain/errors";
import type { Accelerator } from "../../domain/host";
import type { Recipe, RecipeStepOf } from "../../domain/recipe";
import type { TaskReport } from "../../domain/task";
import { withDeadline } from "../../system/deadline";
import { asUser, detectUserScheme } from "../../system/machineUsers";
import { mortal } from "../../system/mortal";
import { Conversation } from "./conversation";

/** VMs count from 1: this user is none of theirs. */
const consoleUser = 0;
/** How long a guest that was told to turn itself off may take. */
const powerOffMs = 300_000;

export interface ConsoleMachine {
  arch: Arch;
  firmware: Firmware;
  /** The overlay that takes the changes, and the image below it. */
  disk: string;
  image: string;
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
  // The files are lent to QEMU open, so that its user needs no way to them.
  const disk = await open(machine.disk, "r+");
  const image = await open(machine.image, "r");
  try {
    const user = (await detectUserScheme()).userOf(consoleUser);
    const { program, args } = mortal(asUser(user, `qemu-system-${machine.arch}`, consoleArgv(machine)));
    const qemu = spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe", disk.fd, image.fd],
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
      const conversation = new Conversation(stdout, stdin, (line) => report.log(line));
      await follow(conversation, recipe, report, signal);
      await turnedOff(gone, signal);
      if (qemu.exitCode === 0) return;
      throw new CumulusError("internal", `The machine ended with an error: ${complaint.trim()}`);
    } finally {
      qemu.kill("SIGKILL");
      await gone;
    }
  } finally {
    await disk.close();
    await image.close();
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

/** QEMU with a disk, a serial console on its own input and output, and nothing else. Pure. */
function consoleArgv({ arch, accelerator }: ConsoleMachine): string[] {
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
    ...["-machine", `${arch === "x86_64" ? "q35" : "virt"},accel=${accelerator.kind}`, "-cpu", accelerator.cpuModel],
    ...["-m", "1024M", "-add-fd", "fd=3,set=1", "-add-fd", "fd=4,set=2"],
    ...["-blockdev", JSON.stringify(blockdev), "-device", "virtio-blk-pci,drive=disk0"],
    ...["-object", "rng-builtin,id=rng0", "-device", "virtio-rng-pci,rng=rng0"],
    ...["-chardev", "stdio,id=serial0,signal=off", "-serial", "chardev:serial0"],
  ];
}
