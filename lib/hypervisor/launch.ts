import { setTimeout as delay } from "node:timers/promises";
import { archOfNode } from "../domain/arch";
import { CumulusError } from "../domain/errors";
import { type MachineSpec, sshHostPortOf, sshPortField } from "../domain/machine";
import type { MachineUser } from "../system/machineUsers";
import { emulatedCpuModel } from "./accelerator/detect";
import { isoPathOf } from "./cdrom";
import type { HostContext } from "./context";
import { growDisk } from "./disk";
import { resolveDisk } from "./diskFiles";
import { readDiskRecord } from "./diskRecord";
import { closedFolder, openRunFolder } from "./folders";
import { assertImage, assertIso } from "./imageFiles";
import { type MachinePaths, machinePaths } from "./machinePaths";
import type { Namespace } from "./network/commands";
import { whyPortTaken } from "./network/hostPorts";
import { qemuArgv } from "./qemu/argv";
import { findFirmware } from "./qemu/firmware";
import { type Hardware, hardwareOf } from "./qemu/hardware";
import { machineAliases, newestToStart } from "./qemu/machineTypes";
import { lastWords } from "./qemu/process";
import { QmpError } from "./qmp/client";
import type { RunningQemu } from "./runningQemu";

/** What is started: a VM as a machine of a version that a memory needs, or of the newest. */
export type LaunchSpec = MachineSpec & Pick<Hardware, "machineType">;

export interface LaunchCommand {
  program: string;
  args: string[];
  namespace: Namespace;
  user: MachineUser | null;
  hardware: Hardware;
}

/**
 * A QEMU command for a VM, all that it needs checked and laid ready. Throws what keeps it from starting.
 * @param isIncoming whether it goes on from a memory that is sent to it, instead of booting
 */
export async function prepareLaunch(
  context: HostContext,
  spec: LaunchSpec,
  isIncoming: boolean,
): Promise<LaunchCommand> {
  const { settings, users } = context;
  const machineType = spec.machineType ?? (await newestToStart(spec.arch, context.log));
  const { args, files, user } = await composeArgs(context, { ...spec, machineType }, isIncoming);
  const bottom = files.backing.at(-1);
  if (bottom !== undefined) await assertImage(bottom.path);
  const isoPath = isoPathOf(settings, spec);
  if (isoPath !== null) await assertIso(isoPath);
  for (const link of spec.interfaces) if (link.driver === "user") await assertPortFree(link.sshHostPort);
  // A guest that goes on has seen its disk's size.
  if (!isIncoming) await growDisk(files.disk, spec.disk.sizeBytes, user);
  await openRunFolder(settings, users, spec.id);
  await assertPassable(context);
  const namespace = await context.networks.namespaceFor(spec.id, spec.interfaces);
  return { program: `qemu-system-${spec.arch}`, args, namespace, user, hardware: hardwareOf(spec, args) };
}

/** The hardware that a VM of this spec has on this host now; of the newest machine without its version, which is no part of its key. */
export async function launchedHardware(context: HostContext, spec: LaunchSpec): Promise<Hardware> {
  return hardwareOf(spec, (await composeArgs(context, spec, false)).args);
}

async function composeArgs(context: HostContext, spec: LaunchSpec, isIncoming: boolean) {
  const { settings } = context;
  const paths = machinePaths(settings, spec.id);
  const { files, user } = await resolveDisk(context, spec, await readDiskRecord(paths));
  const firmware = await findFirmware(spec.arch, spec.firmware);
  const hostAccelerator = await context.accelerator();
  const isNative = spec.arch === archOfNode(process.arch);
  const accelerator = isNative ? hostAccelerator : ({ kind: "tcg", cpuModel: emulatedCpuModel } as const);
  const args = qemuArgv({
    spec,
    machineType: spec.machineType ?? machineAliases[spec.arch],
    accelerator,
    paths,
    files,
    isoPath: isoPathOf(settings, spec),
    incoming: isIncoming ? paths.incoming : null,
    uefiCode: firmware?.code ?? null,
  });
  return { args, files, user };
}

const startMs = 30_000;

/** Waits until a QEMU that was just started answers. Rejects with the reason, in QEMU's own words, when it doesn't come to that. */
export async function awaitStarted(qemu: RunningQemu, paths: MachinePaths, spec: MachineSpec): Promise<void> {
  const deadline = Date.now() + startMs;
  while (true) {
    try {
      return await qemu.connect(Math.max(1, deadline - Date.now()));
    } catch (error) {
      if (!(error instanceof QmpError)) throw error;
      if (qemu.hasEnded) throw startFailure(await lastWords(paths.qemuLog), spec);
      if (Date.now() > deadline) {
        throw new CumulusError(
          "unavailable",
          `QEMU didn't answer within ${startMs / 1000} s of its start: ${error.message}`,
        );
      }
      await delay(5);
    }
  }
}

/** QEMU's last words on a failed start, in ours where we know what to do. */
function startFailure(words: string, spec: MachineSpec): CumulusError {
  if (words.includes("Failed to get") && words.includes("lock")) {
    return new CumulusError(
      "conflict",
      "The VM's disk is in use by another process of this host. End that one, then start the VM.",
    );
  }
  if (words.includes("host forwarding rule")) return portTaken(sshHostPortOf(spec) ?? 0);
  if (/cannot set up guest memory|Cannot allocate memory/i.test(words)) {
    return new CumulusError(
      "insufficient_capacity",
      "The host has not enough free memory for this VM: stop another one.",
    );
  }
  return new CumulusError("internal", `QEMU could not start.${words}`);
}

async function assertPassable({ settings, users }: HostContext): Promise<void> {
  const folder = await closedFolder(settings, users);
  if (folder === null) return;
  throw new CumulusError(
    "unavailable",
    `VMs run as users of their own, and these can't pass through ${folder}. Run: chmod o+x ${folder} - or choose another CUMULUS_DATA_DIR.`,
  );
}

async function assertPortFree(port: number): Promise<void> {
  if ((await whyPortTaken("tcp", port)) !== null) throw portTaken(port);
}

function portTaken(port: number): CumulusError {
  const message = `Port ${port} of this host, which leads to the VM's SSH, is taken by another program. End that program, then start the VM.`;
  return new CumulusError("conflict", message, { fields: { [sshPortField]: message } });
}
