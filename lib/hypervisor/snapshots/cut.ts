import { rm } from "node:fs/promises";
import { CumulusError } from "../../domain/errors";
import { failpoint } from "../../failpoints";
import { readQcow2Header } from "../../images/qcow2";
import { syncFile, syncFolder } from "../../system/files";
import type { HostContext } from "../context";
import { createOverlayOnLayer } from "../disk";
import { fileNode, fileNodeOf, inFolder } from "../diskFiles";
import { type DiskRecord, diskName, readDiskRecord, stageDiskRecord, sweepDisks, writeDiskRecord } from "../diskRecord";
import { newLayerId } from "../layers/layerStore";
import { repairLeaks } from "../leaks";
import { machinePaths } from "../machinePaths";
import type { MachineRecord } from "../machineRecord";
import type { RunningQemu } from "../runningQemu";
import { snapshotUnder } from "./lineage";
import { nodeOf, readLiveDisk } from "./liveDisk";

/**
 * A cut: a VM's disk becomes a layer that nobody writes any more, and an overlay on it the VM's disk.
 *
 *     record ── begin ──▶ record with a cut ── switch (QEMU, if there is one) ──▶ finish ──▶ record on the layer
 *                                    └──── undo: a QEMU that lives writes on as before
 *
 * Killed anywhere, `settle` ends it one way or the other. Nothing that the guest wrote is in a file that goes.
 */
export interface CutTarget {
  context: HostContext;
  id: number;
  /** What is known of the VM. */
  machine: Pick<MachineRecord, "state" | "note">;
  /** The image at the bottom. */
  imageSha256: string | null;
}

/** Makes the overlay, and writes down what is about to happen. */
export async function beginCut({ context, id }: CutTarget): Promise<DiskRecord> {
  const paths = machinePaths(context.settings, id);
  const record = await readDiskRecord(paths);
  const layerId = newLayerId();
  const cut = { layerId, disk: diskName(newLayerId()) };
  const { virtualBytes } = await readQcow2Header(inFolder(paths, record.disk));
  const overlay = inFolder(paths, cut.disk);
  try {
    await createOverlayOnLayer(overlay, context.layers.file(layerId), virtualBytes, context.users.userOf(id));
    await syncFile(overlay);
    await syncFolder(paths.folder);
    failpoint("agent.snapshot.overlay-made");
    const next = { ...record, cut };
    await writeDiskRecord(paths, next);
    return next;
  } catch (error) {
    // The record may be there though writing it failed at the end: what it names stays, and the cut is settled as any other.
    const now = await readDiskRecord(paths).catch(() => null);
    if (now?.cut === null) await rm(overlay, { force: true });
    throw error;
  }
}

/** Has QEMU open the overlay; the guest still writes to the old disk. */
export async function openOverlay({ context, id }: CutTarget, { cut }: DiskRecord, qemu: RunningQemu): Promise<void> {
  if (cut === null) return;
  const filename = inFolder(machinePaths(context.settings, id), cut.disk);
  const overlay = {
    driver: "qcow2",
    "node-name": nodeNameOf(cut.disk),
    discard: "unmap",
    file: fileNode(filename, { "node-name": fileNodeOf(nodeNameOf(cut.disk)) }),
    backing: null,
  };
  await qemu.execute("blockdev-add", overlay, switchMs);
}

/** From here on the guest writes to the overlay. */
export async function switchToOverlay({ cut }: DiskRecord, qemu: RunningQemu, activeNode: string): Promise<void> {
  if (cut === null) return;
  const data = { node: activeNode, overlay: nodeNameOf(cut.disk) };
  await qemu.execute("transaction", { actions: [{ type: "blockdev-snapshot", data }] }, switchMs);
}

/** Makes a layer of what was the disk, and answers its id. Done again, done. What needs room comes before what can't be undone. */
export async function finishCut({ context, id, imageSha256 }: CutTarget, record: DiskRecord): Promise<string> {
  const { cut } = record;
  if (cut === null) throw new CumulusError("internal", `No cut of VM ${id}'s disk was begun.`);
  const paths = machinePaths(context.settings, id);
  const from = inFolder(paths, record.disk);
  await context.layers.locked(async () => {
    const next = { ...record, disk: cut.disk, parent: cut.layerId, snapshotBelow: null, cut: null };
    const staged = await stageDiskRecord(paths, next);
    try {
      const known = await context.layers.find(cut.layerId);
      if (known === null) {
        const { virtualBytes } = await readQcow2Header(from);
        const snapshotBelow = await snapshotUnder(context, record);
        const { parent } = record;
        const own = { vmId: id, virtualBytes, openedAs: from, level: 0, foldedBytes: 0 };
        await context.layers.write({ id: cut.layerId, parent, snapshotBelow, imageSha256, ...own });
      }
      failpoint("agent.snapshot.layer-written");
      const isIn = await context.layers.moveIn({ id: cut.layerId, vmId: id }, from);
      if (!isIn && (await context.layers.bytesOf(cut.layerId)) === null) throw lost(from);
      failpoint("agent.snapshot.layer-moved");
      await staged.takeOver();
    } catch (error) {
      await staged.discard();
      throw error;
    }
  });
  return cut.layerId;
}

function lost(disk: string): CumulusError {
  return new CumulusError("internal", `The VM's disk ${disk} is gone: bring it back from a copy, or destroy the VM.`);
}

/**
 * Ends a cut that was begun, as it is in truth: a QEMU that lives is asked which file it writes. What one that was killed left in the disk goes first.
 * @param qemu null when the VM is off: the cut is then finished, since the overlay may hold what the guest wrote
 */
export async function settleCut(target: CutTarget, qemu: RunningQemu | null): Promise<DiskRecord> {
  const paths = machinePaths(target.context.settings, target.id);
  const record = await readDiskRecord(paths);
  if (record.cut === null) return record;
  if (qemu === null) await repairLeaks(target, record);
  if (qemu !== null) {
    const live = await readLiveDisk(qemu);
    const overlay = nodeOf(live, inFolder(paths, record.cut.disk));
    if (overlay === undefined || overlay !== live.node) {
      if (overlay !== undefined) await qemu.execute("blockdev-del", { "node-name": overlay });
      const before = { ...record, cut: null };
      await writeDiskRecord(paths, before);
      await sweepDisks(paths, before);
      return before;
    }
  }
  await finishCut(target, record);
  return readDiskRecord(paths);
}

const switchMs = 30_000;

/** QEMU's node names are at most 31 characters (qapi/block-core.json). */
function nodeNameOf(disk: string): string {
  return disk.replace(".qcow2", "");
}
