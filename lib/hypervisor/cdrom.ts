import { z } from "zod";
import { CumulusError } from "../domain/errors";
import type { MachineSpec } from "../domain/machine";
import { pathsOf, type Settings } from "../env";
import { imageFile } from "../images/store";
import { bootIndexes, cdromId, isoNode, isoNodeName } from "./qemu/cdrom";
import type { RunningQemu } from "./runningQemu";

type Media = Pick<MachineSpec, "cdrom" | "bootFrom">;

/** Where the ISO of a spec lies; null for an empty drive. */
export function isoPathOf(settings: Settings, { cdrom }: Pick<MachineSpec, "cdrom">): string | null {
  return cdrom && imageFile(pathsOf(settings), cdrom.sha256, "iso");
}

/**
 * Brings the CD-ROM drive and the boot order of a VM that runs to what its spec says; what is so already is left alone. The drive is opened by force:
 * a guest that has locked it sees the disc gone, as with the pin of a real drive. The new order counts from the guest's next reset.
 */
export async function applyMedia(
  qemu: RunningQemu,
  before: Media,
  media: Media,
  isoPath: string | null,
): Promise<void> {
  await eject(qemu, media);
  if (media.cdrom !== null && isoPath !== null) await insert(qemu, media.cdrom.sha256, isoPath);
  if (before.bootFrom !== media.bootFrom) await reorder(qemu, media);
}

/** Takes out what lies in the drive, unless it is what the spec wants. */
async function eject(qemu: RunningQemu, { cdrom }: Media): Promise<void> {
  const present = await discOf(qemu);
  if (present === null || present === (cdrom && isoNodeName(cdrom.sha256))) return;
  await qemu.execute("blockdev-open-tray", { id: cdromId, force: true });
  await qemu.execute("blockdev-remove-medium", { id: cdromId });
  await qemu.execute("blockdev-del", { "node-name": present });
}

async function insert(qemu: RunningQemu, sha256: string, isoPath: string): Promise<void> {
  const node = isoNodeName(sha256);
  if ((await discOf(qemu)) !== node) {
    if (!(await hasNode(qemu, node))) await qemu.execute("blockdev-add", isoNode(sha256, isoPath));
    await qemu.execute("blockdev-open-tray", { id: cdromId, force: true });
    await qemu.execute("blockdev-insert-medium", { id: cdromId, "node-name": node });
  }
  await qemu.execute("blockdev-close-tray", { id: cdromId });
}

/** No two devices may have the same place, so one of them has none for a moment. */
async function reorder(qemu: RunningQemu, { bootFrom }: Media): Promise<void> {
  const place = (device: string, value: number) =>
    qemu.execute("qom-set", { path: `/machine/peripheral/${device}`, property: "bootindex", value });
  const indexes = bootIndexes(bootFrom);
  await place(cdromId, -1);
  await place("vd0", indexes.disk);
  await place(cdromId, indexes.cdrom);
}

const driveSchema = z.object({
  qdev: z.string().optional(),
  tray_open: z.boolean().optional(),
  inserted: z.object({ "node-name": z.string().optional() }).optional(),
});

async function findDrive(qemu: RunningQemu): Promise<z.infer<typeof driveSchema> | undefined> {
  const devices = z.array(driveSchema).parse(await qemu.execute("query-block"));
  return devices.find(({ qdev }) => qdev === cdromId || qdev?.endsWith(`/${cdromId}`));
}

/** Whether a disc lies in an open drive: the guest has ejected it. */
export async function isEjectedByGuest(qemu: RunningQemu): Promise<boolean> {
  const drive = await findDrive(qemu);
  return drive?.tray_open === true && drive.inserted !== undefined;
}

/** The node of the disc in the drive; null when it is empty. */
async function discOf(qemu: RunningQemu): Promise<string | null> {
  const drive = await findDrive(qemu);
  if (drive) return drive.inserted?.["node-name"] ?? null;
  throw new CumulusError(
    "wrong_state",
    "This VM was started by an earlier version of Cumulus, which gave it no CD-ROM drive. Stop it and start it again.",
  );
}

const nodesSchema = z.array(z.object({ "node-name": z.string().optional() }));

async function hasNode(qemu: RunningQemu, name: string): Promise<boolean> {
  const nodes = nodesSchema.parse(await qemu.execute("query-named-block-nodes", { flat: true }));
  return nodes.some((node) => node["node-name"] === name);
}
