import type { Queryable } from "../../db/client";
import type { images } from "../../db/schema/images";
import type { Firmware } from "../../domain/arch";
import { CumulusError } from "../../domain/errors";
import { nameOfShape, sizeLimits, sizes } from "../../domain/size";
import { formatBytes } from "../../domain/units";
import type { CreateVm, Vm } from "../../domain/vm";
import { failpoint } from "../../failpoints";
import type { Actor, Context } from "../context";
import { makeOnce } from "../idempotency";
import { resolveImage, withCatalogueHint } from "../images/resolve";
import { holdNetwork } from "../networks/networks";
import { findWholeSnapshot } from "../snapshots/find";
import { resolveSshKeys } from "../sshKeys";
import { refuseBadUserData } from "../userData";
import { resolveFirmware } from "./firmware";
import { resolveFirstBoot, withoutPasswords } from "./firstBoot";
import { insertVm, type NewVm, type Shape, withNameTaken } from "./insert";
import { getVm } from "./view";

type ImageRow = typeof images.$inferSelect;

/**
 * Writes down that a VM is to exist and run; all it needs (address, MAC, port, memory) is allocated in the same transaction, so there is nothing to undo.
 * @throws `bad_request` with fields, `conflict` when the name is taken, `insufficient_capacity`
 */
export async function createVm(
  context: Context,
  actor: Actor,
  input: CreateVm,
  idempotencyKey: string | null,
): Promise<Vm> {
  const once = { actor, key: idempotencyKey, request: withoutPasswords(input), makes: "vmId" } as const;
  const make = async (tx: Queryable) => (await insertVm(tx, actor, await resolveVm(tx, input))).vm.id;
  const id = await withCatalogueHint(context, input.image, () =>
    withNameTaken(input.name, () => makeOnce(context, once, make)),
  );
  failpoint("create.committed");
  return getVm(context, id);
}

/** All that a request for a VM refers to, looked up. @throws `bad_request` with fields */
export async function resolveVm(tx: Queryable, input: CreateVm): Promise<NewVm> {
  const { image, fromSnapshotId, firmware, cdromImageId, minimum, base } = await resolveDisk(tx, input);
  const shape = resolveShape(input, minimum, base);
  const network = await holdNetwork(tx, input.network ?? "default");
  const sshKeys = await resolveSshKeys(tx, input.sshKeys ?? []);
  refuseBadUserData(input.userData);
  return {
    kind: "create",
    name: input.name,
    image,
    fromSnapshotId,
    shape,
    network,
    ipv4: input.ipv4,
    mac: input.mac,
    firewalls: input.firewalls ?? [],
    sshKeys,
    userData: input.userData ?? null,
    files: input.files ?? [],
    firmware,
    firstBoot: await resolveFirstBoot(tx, input, image),
    cdromImageId,
    bootFrom: cdromImageId === null ? "disk" : "cdrom",
  };
}

/** What a VM's disk starts from, and what that asks of its shape. */
interface DiskSource {
  image: ImageRow;
  fromSnapshotId: number | null;
  firmware: Firmware;
  /** The ISO from which a system is installed on an empty disk. */
  cdromImageId: number | null;
  minimum: Parameters<typeof resolveShape>[1];
  base?: Shape;
}

async function resolveDisk(tx: Queryable, input: CreateVm): Promise<DiskSource> {
  const { image: wanted, snapshot } = input;
  if ((wanted === undefined) === (snapshot === undefined)) {
    const message = "Give an image or a snapshot, and not both.";
    throw new CumulusError("bad_request", message, { fields: { image: message } });
  }
  if (snapshot !== undefined) return resolveSnapshotDisk(tx, snapshot, input.firmware);
  const image = await resolveImage(tx, wanted ?? "", { kind: "any" });
  const firmware = resolveFirmware(image, input.firmware);
  const cdromImageId = image.kind === "iso" ? image.id : null;
  return { image, fromSnapshotId: null, firmware, cdromImageId, minimum: minimumOf(image) };
}

/** A VM from a snapshot has the shape of the VM that it is of, unless told otherwise. */
async function resolveSnapshotDisk(tx: Queryable, id: number, wanted: Firmware | undefined): Promise<DiskSource> {
  const { snapshot, manifest, image } = await findWholeSnapshot(tx, id);
  const { vcpus, memoryBytes, firmware } = manifest.machine;
  const minimum = {
    name: `The snapshot ${snapshot.name}`,
    virtualBytes: manifest.virtualBytes,
    minMemoryBytes: image.minMemoryBytes,
  };
  return {
    image,
    fromSnapshotId: id,
    // What is installed on it was installed for that.
    firmware: wanted === undefined ? firmware : resolveFirmware(image, wanted),
    cdromImageId: null,
    minimum,
    base: { name: null, vcpus, memoryBytes, diskBytes: manifest.virtualBytes },
  };
}

/** What an image asks of a VM's shape. A system that is installed from an ISO may ask for more; nobody knows. */
export function minimumOf(image: ImageRow): Parameters<typeof resolveShape>[1] {
  return image.kind === "iso" ? { ...image, virtualBytes: sizeLimits.diskBytes.min } : image;
}

/** The named size, or custom values, or a size (or the present values, `base`) with some replaced. */
export function resolveShape(
  input: Pick<CreateVm, "size" | "vcpus" | "memory" | "disk">,
  image: Pick<ImageRow, "name" | "virtualBytes" | "minMemoryBytes">,
  base?: Shape,
): Shape {
  const size = input.size === undefined ? base : sizes.find(({ name }) => name === input.size);
  if (input.size !== undefined && !size) {
    const names = sizes.map(({ name }) => name).join(", ");
    throw new CumulusError("bad_request", `There is no size ${input.size}. Sizes: ${names}.`, {
      fields: { size: `There is no size ${input.size}. Sizes: ${names}.` },
    });
  }
  const vcpus = input.vcpus ?? size?.vcpus;
  const memoryBytes = input.memory ?? size?.memoryBytes;
  const diskBytes = input.disk ?? size?.diskBytes;
  if (vcpus === undefined || memoryBytes === undefined || diskBytes === undefined) {
    throw new CumulusError("bad_request", "Give a size, or vcpus, memory and disk.", {
      fields: { size: "Give a size, or vcpus, memory and disk." },
    });
  }
  const tooSmall: Record<string, string> = {};
  if (memoryBytes < image.minMemoryBytes) tooSmall.memory = `${image.name} needs ${formatBytes(image.minMemoryBytes)}.`;
  if (diskBytes < image.virtualBytes) tooSmall.disk = `${image.name} needs ${formatBytes(image.virtualBytes)}.`;
  if (Object.keys(tooSmall).length > 0) {
    throw new CumulusError("bad_request", `Too small for this image: ${Object.values(tooSmall).join(" ")}`, {
      fields: tooSmall,
    });
  }
  return { name: nameOfShape({ vcpus, memoryBytes, diskBytes }), vcpus, memoryBytes, diskBytes };
}
