import { chmod, chown, mkdir, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { execa } from "execa";
import { archOfNode } from "../../domain/arch";
import { CumulusError, messageOf } from "../../domain/errors";
import type { ImageManifest } from "../../domain/image";
import { type Recipe, whyNotByHost } from "../../domain/recipe";
import { asUser, detectUserScheme, type MachineUser, workUserId } from "../../system/machineUsers";
import { type Command, mortalTree } from "../../system/mortal";
import { removeTree } from "../../system/removeTree";
import { fulfil } from "../requirements";
import { recipePrerequisites } from "./appliance";
import type { CustomizeCall } from "./customize";
import { fixedAppliance, guestfsUserEnvironment } from "./fixedAppliance";
import { customizationOf, writeCustomization } from "./offline";

/** What virt-customize says it does beside the commands that it is given: it examines the guest, sets a random seed, and finishes off. */
const linesAround = 3;

/**
 * Has libguestfs change a disk, which the host never mounts: a damaged or hostile file system, and the recipe's own programs, meet a machine of its own,
 * which runs with no rights on this host.
 * @param overlay takes the changes, in the work folder
 * @throws CumulusError `bad_request`: a step failed · `unavailable`: a tool is missing
 */
export async function changeDisk(
  base: ImageManifest,
  overlay: string,
  recipe: Recipe,
  call: CustomizeCall,
): Promise<void> {
  const { paths, workDir, report, signal } = call;
  const steps = join(workDir, "steps");
  const customization = customizationOf(recipe, steps);
  const whyNot = whyNotByHost(recipe, base.arch, archOfNode(process.arch));
  if (whyNot !== null) throw new CumulusError("bad_request", whyNot);
  report.progress(3, "prepares the machine that changes the disk");
  await fulfil(recipePrerequisites, call);
  const isEmulated = call.accelerator.kind !== "kvm";
  const appliance = await fixedAppliance(paths.appliance, { isEmulated, scratch: workDir, report, signal });
  const list = await writeCustomization(customization, steps);
  const user = (await detectUserScheme()).userOf(workUserId);
  // Not in the work folder, whose path may be too long for a socket.
  const scratch = join(paths.guestfsScratch, basename(workDir));
  await makeScratch(scratch, user);
  try {
    if (user !== null) await lend(user, workDir, overlay, steps);
    // Only packages come from elsewhere.
    const network = recipe.steps.some(({ type }) => type === "packages") && recipe.place === "disk";
    // What is written from outside has no label; a guest without SELinux is left alone (virt-customize(1)).
    const args = ["--format", "qcow2", "-a", overlay, network ? "--network" : "--no-network", "--selinux-relabel"];
    const command = asUser(user, "nice", ["virt-customize", ...args, "--commands-from-file", list]);
    await follow(command, guestfsUserEnvironment(appliance, scratch, isEmulated), {
      steps,
      lineCount: customization.commands.length + linesAround,
      call,
    });
  } finally {
    // What stays is swept when the agent next starts, and is no reason for the recipe to fail.
    await removeTree(scratch).catch((error: unknown) => {
      report.log(`what was needed beside the disk stays for now: ${messageOf(error).replaceAll(scratch, "…")}`);
    });
    if (user !== null) await takeBack(workDir, overlay);
  }
}

/** The user's own folder, for what libguestfs needs beside the disk. */
async function makeScratch(scratch: string, user: MachineUser | null): Promise<void> {
  await removeTree(scratch);
  await mkdir(dirname(scratch), { recursive: true });
  await chmod(dirname(scratch), 0o711);
  await mkdir(scratch, { mode: 0o700 });
  if (user !== null) await chown(scratch, user.uid, user.gid);
}

/**
 * Lets the user write the disk and read the steps. The folders stay ours, so that nothing in them can be exchanged for something else. The steps stay
 * root's too, since virt-customize gives files in the disk the owner and group that they have here; who passes through the folder reads them, and that is the
 * user's own group alone.
 */
async function lend(user: MachineUser, workDir: string, overlay: string, steps: string): Promise<void> {
  await chown(overlay, user.uid, user.gid);
  await chmod(overlay, 0o600);
  for (const name of await readdir(steps)) await chmod(join(steps, name), 0o644);
  for (const folder of [steps, workDir]) {
    await chown(folder, 0, user.gid);
    await chmod(folder, 0o710);
  }
}

async function takeBack(workDir: string, overlay: string): Promise<void> {
  await chmod(workDir, 0o700);
  await chown(overlay, 0, 0);
}

interface Followed {
  /** A folder whose path users needn't see. */
  steps: string;
  lineCount: number;
  call: Pick<CustomizeCall, "report" | "signal">;
}

/** Runs virt-customize to its end; what it says goes to the log, and its steps to the progress. */
async function follow(command: Command, env: Record<string, string>, { steps, lineCount, call }: Followed) {
  const { report, signal } = call;
  const tree = await mortalTree(command);
  const child = execa(tree.program, tree.args, {
    cwd: "/",
    env,
    extendEnv: false,
    stdin: "ignore",
    all: true,
    buffer: false,
    reject: false,
    cancelSignal: signal,
    killSignal: tree.killSignal,
    forceKillAfterDelay: 5_000,
  });
  let lines = 0;
  let lastError = "virt-customize said nothing";
  report.progress(10, "changes the disk");
  for await (const said of child.iterable({ from: "all" })) {
    const line = said.replaceAll(`${steps}/`, "");
    report.log(line);
    if (line.includes("error:")) lastError = line.replace(/^.*?error: /, "");
    const doing = /^\[ *[\d.]+\] (.+)$/.exec(line)?.[1];
    if (doing === undefined) continue;
    report.progress(10 + (70 * Math.min(lines, lineCount)) / lineCount, `changes the disk: ${doing}`);
    lines += 1;
  }
  const result = await child;
  signal.throwIfAborted();
  if (result.failed) {
    throw new CumulusError("bad_request", `The recipe could not be applied: ${lastError}. The log tells the step.`);
  }
}
