import { CumulusError, messageOf } from "../domain/errors";
import { readQcow2Header } from "../images/qcow2";
import { isThere } from "../system/files";
import { ActQueue } from "./actQueue";
import type { HostContext } from "./context";
import { inFolder } from "./diskFiles";
import { type DiskRecord, readDiskRecord } from "./diskRecord";
import { machinePaths } from "./machinePaths";
import type { MachineRecord } from "./machineRecord";
import { runTool } from "./tools";

export interface LeakyDisk {
  context: Pick<HostContext, "settings" | "users" | "log">;
  id: number;
  machine: Pick<MachineRecord, "state" | "note">;
}

/**
 * Gives back the clusters of a VM's disk that a QEMU which was killed had taken and not put to use ("leaks", qemu-img(1)): they cost space, and hold nothing.
 * Only while the VM is off. What can't be done now is told, and tried again the next time: nothing must fail for it.
 */
export async function repairLeaks({ context, id, machine }: LeakyDisk, record: DiskRecord): Promise<void> {
  if (!machine.state.mayLeak) return;
  const paths = machinePaths(context.settings, id);
  // Of a disk that was about to become a layer, QEMU may have written either file.
  const names = record.cut === null ? [record.disk] : [record.disk, record.cut.disk];
  try {
    for (const name of names) {
      const filename = inFolder(paths, name);
      if (await isThere(filename)) await checkAndRepair(filename, context.users.userOf(id));
    }
  } catch (error) {
    context.log.warn({ vm: id, error: messageOf(error) }, "unused clusters of a VM's disk can't be given back yet");
    return;
  }
  await machine.note((state) => ({ ...state, mayLeak: false }));
}

/** Of several VMs, as after a power cut, so many at once. */
const atOnce = 2;
const lanes = new ActQueue();

/** The same when nobody waits for it: in the VM's turn, and with few others beside it. */
export async function repairLeaksSoon(
  disk: LeakyDisk & { context: Pick<HostContext, "enqueue"> },
  isOff: () => boolean,
): Promise<void> {
  const { context, id, machine } = disk;
  if (!machine.state.mayLeak) return;
  const repair = async () => {
    if (isOff()) await repairLeaks(disk, await readDiskRecord(machinePaths(context.settings, id)));
  };
  await lanes.run(id % atOnce, () => context.enqueue(id, repair));
}

/** As the VM's user, and without what it builds on: a guest that broke out has written the file's header. */
async function checkAndRepair(filename: string, user: Parameters<typeof runTool>[2]): Promise<void> {
  if ((await readQcow2Header(filename)).hasExternalDataFile) {
    throw new CumulusError("internal", `${filename} keeps its data in another file, and no disk of a VM does.`);
  }
  const file = { driver: "file", filename, discard: "unmap" };
  const disk = `json:${JSON.stringify({ driver: "qcow2", backing: null, file })}`;
  await runTool("qemu-img", ["check", "-q", "-r", "leaks", disk], user);
}
