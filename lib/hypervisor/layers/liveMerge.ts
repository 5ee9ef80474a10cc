import { pathsOf } from "../../env";
import { failpoint } from "../../failpoints";
import { imageFile } from "../../images/store";
import { syncFile } from "../../system/files";
import type { HostContext } from "../context";
import { fileNode, fileNodeOf, inFolder } from "../diskFiles";
import { type DiskRecord, readDiskRecord, writeDiskRecord } from "../diskRecord";
import type { Machine } from "../machine";
import { machinePaths } from "../machinePaths";
import type { RunningQemu } from "../runningQemu";
import { backingOf, type LiveDisk, nodeOf, readLiveDisk } from "../snapshots/liveDisk";
import { type Layer, newLayerId } from "./layerStore";
import { beginStream, cancelStream } from "./streamJob";
import { writeOut } from "./writeOut";

/**
 * Has a running QEMU merge a layer into the disk that its guest writes to. Whenever this ends, what was copied stays, and the next time goes on
 * with the rest.
 * @returns the QEMU that does it, which may be another one than before the VM's turn came; null when it can't be done now
 */
export async function beginLiveMerge(
  context: HostContext,
  machine: Machine,
  layer: Layer,
): Promise<RunningQemu | null> {
  const paths = machinePaths(context.settings, machine.spec.id);
  return context.enqueue(machine.spec.id, async () => {
    const { qemu } = machine.runtime;
    const record = await readDiskRecord(paths);
    if (qemu === null || record.parent !== layer.id || record.cut !== null) return null;
    const live = await readLiveDisk(qemu);
    const base = baseNode(context, live, await parentOf(context, layer), layer.imageSha256);
    if (base === undefined || !isWritingTo(live, inFolder(paths, record.disk))) return null;
    // One that began too late to be believed in.
    await cancelStream(qemu);
    await beginStream(qemu, live.node, base === null ? null : { nodeName: base, path: basePath(context, layer) });
    return qemu;
  });
}

/** Others wait for their turn meanwhile; what isn't written out by then is merged again. */
const inTurnMs = 20_000;

/** What a VM's disk is when it holds all of the layer that it built on. */
export function diskWithout(record: DiskRecord, { parent, snapshotBelow }: Layer): DiskRecord {
  return { ...record, parent, snapshotBelow: record.snapshotBelow ?? snapshotBelow };
}

/**
 * Notes that the VM's disk builds on what is below the layer now, once all that QEMU took in is written out.
 * @returns false when it isn't to be had, as of a QEMU that has ended, or whose guest writes to another file by now: it is merged again
 */
export async function finishLiveMerge(
  context: HostContext,
  machine: Machine,
  layer: Layer,
  qemu: RunningQemu,
): Promise<boolean> {
  const paths = machinePaths(context.settings, machine.spec.id);
  // Most of it while others have their turn.
  await syncFile(inFolder(paths, (await readDiskRecord(paths)).disk));
  return context.enqueue(machine.spec.id, async () => {
    const record = await readDiskRecord(paths);
    if (record.parent !== layer.id || record.cut !== null || machine.runtime.qemu !== qemu) return false;
    const live = await readLiveDisk(qemu);
    const base = baseNode(context, live, await parentOf(context, layer), layer.imageSha256);
    const disk = inFolder(paths, record.disk);
    if (base === undefined || !isWritingTo(live, disk)) return false;
    await syncFile(disk);
    await writeOut(qemu, reopened(live.node, base, false), inTurnMs);
    await writeDiskRecord(paths, diskWithout(record, layer));
    failpoint("agent.merge.unlinked");
    if (machine.runtime.qemu !== qemu) return true;
    await dropNode(qemu, liveNodeOf(context, await readLiveDisk(qemu), layer));
    return true;
  });
}

/**
 * Has a running QEMU take a layer's new file, so that the space of the old files comes back. A QEMU that can't goes on with the old ones, which stay until it ends.
 * @param above the layer above it in the VM's chain; null: the VM's disk
 * @param merged the layers that went into it, the top first
 */
export async function switchLive(
  context: HostContext,
  machine: Machine,
  { layer, above, merged }: { layer: Layer; above: Layer | null; merged: readonly Layer[] },
): Promise<void> {
  const { qemu } = machine.runtime;
  if (qemu === null) return;
  const live = await readLiveDisk(qemu);
  const { folder } = machinePaths(context.settings, machine.spec.id);
  const record = await readDiskRecord(machinePaths(context.settings, machine.spec.id));
  const disk = inFolder({ folder }, record.disk);
  const overlay = above === null ? nodeOf(live, disk) : liveNodeOf(context, live, above);
  const old = liveNodeOf(context, live, layer);
  const base = baseNode(context, live, await parentOf(context, layer), layer.imageSha256);
  if (overlay === undefined || old === undefined || base === undefined) return;
  // One that could not be switched before reads through more files than are noted: none of them may be passed over.
  if ((await backingOf(qemu, overlay)) !== old) throw new Error("QEMU reads through files that were merged before.");
  const node = `layer-${newLayerId()}`;
  const filename = context.layers.file(layer.id);
  const file = fileNode(filename, { "node-name": fileNodeOf(node), "read-only": true });
  const opened = { driver: "qcow2", "node-name": node, "read-only": true, file, backing: base };
  await qemu.execute("blockdev-add", opened, inTurnMs);
  try {
    // Which writes out what the guest has written, too.
    await qemu.execute("blockdev-reopen", { options: [reopened(overlay, node, above !== null)] }, inTurnMs);
  } catch (error) {
    await qemu.execute("blockdev-del", { "node-name": node });
    throw error;
  }
  await dropNode(qemu, old);
  for (const below of merged) await dropNode(qemu, liveNodeOf(context, live, below));
}

/** Closes a node that nothing builds on any more. Those that QEMU was started with are gone by themselves. */
async function dropNode(qemu: RunningQemu, node: string | undefined): Promise<void> {
  const { nodes } = await readLiveDisk(qemu);
  if (nodes.some((one) => one.node === node)) await qemu.execute("blockdev-del", { "node-name": node });
}

/** All options of a node as it was opened, but for its backing node: what isn't named would get its default. */
function reopened(node: string, backing: string | null, isReadOnly: boolean): object {
  return {
    driver: "qcow2",
    "node-name": node,
    file: fileNodeOf(node),
    backing,
    ...(isReadOnly ? { "read-only": true } : { discard: "unmap" }),
  };
}

async function parentOf({ layers }: HostContext, { parent }: Layer): Promise<Layer | null> {
  return parent === null ? null : layers.read(parent);
}

/** Whether the guest's writes go into this file: a snapshot that failed in the middle may have put an overlay on it. */
function isWritingTo(live: LiveDisk, disk: string): boolean {
  return nodeOf(live, disk) === live.node;
}

/** The node that a layer's new file builds on; null for nothing, undefined when QEMU hasn't got it. */
function baseNode(
  context: HostContext,
  live: LiveDisk,
  parent: Layer | null,
  imageSha256: string | null,
): string | null | undefined {
  if (parent !== null) return liveNodeOf(context, live, parent);
  if (imageSha256 === null) return null;
  return nodeOf(live, imageFile(pathsOf(context.settings), imageSha256));
}

function basePath({ settings, layers }: HostContext, { parent, imageSha256 }: Layer): string {
  return parent === null ? imageFile(pathsOf(settings), imageSha256 ?? "") : layers.file(parent);
}

/** A layer's node: by its file, or by the file that it was while the VM wrote to it. */
function liveNodeOf({ layers }: HostContext, live: LiveDisk, layer: Layer): string | undefined {
  return nodeOf(live, layers.file(layer.id)) ?? nodeOf(live, layer.openedAs);
}
