import { createHash } from "node:crypto";
import { and, desc, eq, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { violatedUnique } from "../../db/errors";
import { hosts, idempotencyKeys, images, networks, vms } from "../../db/schema";
import { CumulusError } from "../../domain/errors";
import { type Size, sizes } from "../../domain/size";
import { formatBytes } from "../../domain/units";
import { parseUserData } from "../../domain/userData";
import type { CreateVm, Vm } from "../../domain/vm";
import { failpoint } from "../../failpoints";
import { announce } from "../changes";
import type { Actor, Context } from "../context";
import { requestConverge } from "../jobs";
import { actorName, addOperation } from "../operations";
import { resolveSshKeys } from "../sshKeys";
import { admitDisk, admitMemory, allocateAddress, allocateMac, allocateSshPort } from "./allocate";
import { getVmRecord, toVm, type VmRecord } from "./view";

type ImageRow = typeof images.$inferSelect;

export interface Created {
  vm: Vm;
  /** False when an earlier request with the same Idempotency-Key made it. */
  isNew: boolean;
}

/**
 * Writes down that a VM is to exist and run; all it needs (address, MAC, port, memory) is allocated in the same transaction, so there is nothing to undo.
 * @throws `bad_request` with fields, `conflict` when the name is taken, `insufficient_capacity`
 */
export async function createVm(
  context: Context,
  actor: Actor,
  input: CreateVm,
  idempotencyKey: string | null,
): Promise<Created> {
  const requestHash = createHash("sha256").update(JSON.stringify(input)).digest("hex");
  try {
    const { record, isNew } = await context.db.transaction(async (tx) => {
      const earlier = idempotencyKey && (await earlierVmId(tx, actor, idempotencyKey, requestHash));
      if (earlier) return { record: await getVmRecord(tx, earlier), isNew: false };
      const record = await insertVm(tx, actor, input);
      if (idempotencyKey) {
        await tx
          .insert(idempotencyKeys)
          .values({ actor: actorName(actor), key: idempotencyKey, requestHash, vmId: record.vm.id });
      }
      failpoint("create.before-commit");
      return { record, isNew: true };
    });
    failpoint("create.committed");
    return { vm: toVm(record, Date.now()), isNew };
  } catch (error) {
    if (violatedUnique(error) !== "vms_live_name") throw error;
    throw new CumulusError("conflict", `A VM named ${input.name} exists already.`, {
      fields: { name: "This name is taken." },
    });
  }
}

/** The VM that an earlier request with this key made. The lock makes a parallel one wait for the first. */
async function earlierVmId(tx: Queryable, actor: Actor, key: string, requestHash: string): Promise<number | undefined> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${`idempotency:${actorName(actor)}:${key}`}))`);
  const [earlier] = await tx
    .select()
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.actor, actorName(actor)), eq(idempotencyKeys.key, key)));
  if (earlier && earlier.requestHash !== requestHash) {
    throw new CumulusError("conflict", "This Idempotency-Key was used for another request. Take a new one.");
  }
  return earlier?.vmId;
}

async function insertVm(tx: Queryable, actor: Actor, input: CreateVm): Promise<VmRecord> {
  const image = await resolveImage(tx, input.image);
  const shape = resolveShape(input, image);
  const network = await resolveNetwork(tx, input.network ?? "default");
  const sshKeys = await resolveSshKeys(tx, input.sshKeys ?? []);
  refuseBadUserData(input.userData);
  const [host] = await tx.select().from(hosts).orderBy(hosts.id).limit(1).for("update");
  if (!host) throw new CumulusError("unavailable", "No host has joined yet.", { retryAfterSeconds: 5 });
  await admitMemory(tx, host, shape.memoryBytes);
  admitDisk(host, shape.diskBytes);

  const accepted = new Date().toISOString();
  const [vm] = await tx
    .insert(vms)
    .values({
      name: input.name,
      hostId: host.id,
      imageId: image.id,
      sizeName: shape.name,
      vcpus: shape.vcpus,
      memoryBytes: shape.memoryBytes,
      diskBytes: shape.diskBytes,
      networkId: network.id,
      ipv4: await allocateAddress(tx, network),
      mac: await allocateMac(tx),
      sshHostPort: await allocateSshPort(tx, host.id),
      sshKeys,
      userData: input.userData ?? null,
      files: input.files ?? [],
      desired: "running",
      milestones: { accepted, image: accepted },
    })
    .returning();
  if (!vm) throw new CumulusError("internal", "The VM could not be written.");
  await addOperation(tx, { kind: "create", vmId: vm.id, generation: vm.generation, actor: actorName(actor) });
  await requestConverge(tx, vm.id);
  await announce(tx, { kind: "vm", id: vm.id });
  return { vm, image, network, host };
}

/** By id, or the newest of a name. */
async function resolveImage(tx: Queryable, wanted: string | number): Promise<ImageRow> {
  const condition = typeof wanted === "number" ? eq(images.id, wanted) : eq(images.name, wanted);
  const [image] = await tx.select().from(images).where(condition).orderBy(desc(images.createdAt)).limit(1);
  if (image) return image;
  const known = await tx.selectDistinct({ name: images.name }).from(images);
  const hint =
    known.length > 0 ? `Known images: ${known.map(({ name }) => name).join(", ")}.` : "No image is there yet.";
  throw new CumulusError("bad_request", `There is no image ${wanted}. ${hint}`, {
    fields: { image: `There is no image ${wanted}. ${hint}` },
  });
}

async function resolveNetwork(tx: Queryable, name: string) {
  const [network] = await tx.select().from(networks).where(eq(networks.name, name));
  if (network) return network;
  throw new CumulusError("bad_request", `There is no network ${name}.`, {
    fields: { network: `There is no network ${name}.` },
  });
}

type Shape = Omit<Size, "name"> & { name: string | null };

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
  const named = sizes.find(
    (one) => one.vcpus === vcpus && one.memoryBytes === memoryBytes && one.diskBytes === diskBytes,
  );
  return { name: named?.name ?? null, vcpus, memoryBytes, diskBytes };
}

function refuseBadUserData(userData: string | undefined): void {
  if (userData === undefined) return;
  const parsed = parseUserData(userData);
  if (parsed.kind !== "invalid") return;
  const [problem] = parsed.problems;
  const message = `${problem?.line ? `Line ${problem.line}: ` : ""}${problem?.message ?? "This is no user data."}`;
  throw new CumulusError("bad_request", `The user data is not usable. ${message}`, { fields: { userData: message } });
}
