import { eq, ne } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { archivedVm } from "../../archives/testing/tar";
import { networks } from "../../db/schema/networks";
import { operations } from "../../db/schema/operations";
import { addresses } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import { createVmSchema } from "../../domain/vm";
import { systemActor } from "../context";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { copyWaiting } from "./copy";
import { restoreBackup } from "./restore";
import { type BackupBed, backupBed, copied } from "./testing/backupBed";

const plane = testControlPlane();
let bed: BackupBed;
let repositoryId: number;

beforeEach(async () => {
  bed = await backupBed(plane);
  await bed.context.db.delete(networks).where(ne(networks.name, "default"));
  await bed.context.db.insert(networks).values([
    { name: "lab", cidr: "10.20.0.0/24", gateway: "10.20.0.1" },
    { name: "small", cidr: "10.20.1.0/29", gateway: "10.20.1.1", rangeFirst: "10.20.1.2", rangeLast: "10.20.1.2" },
  ]);
  repositoryId = await bed.addRepository("Far away");
});

const ask = (network?: string) =>
  restoreBackup(bed.context, systemActor, repositoryId, { key: copied.key, name: "heir", network });

/** The host has read the copy, which says this of its VM. */
async function endRestore(said: object): Promise<void> {
  const mini = (await bed.context.agent.listImages()).find(({ name }) => name === "mini");
  const description = { ...archivedVm, ...said };
  await bed.end("backup-restore", { done: { manifest: { ...mini, name: "heir" }, description } });
}

async function networkOfHeir(): Promise<string | undefined> {
  const [row] = await bed.context.db
    .select({ network: networks.name })
    .from(vms)
    .innerJoin(networks, eq(networks.id, vms.networkId))
    .where(eq(vms.name, "heir"));
  return row?.network;
}

const lastRestore = async () =>
  (await bed.context.db.select().from(operations).where(eq(operations.kind, "backup-restore")))[0];

test("a copy says which network its VM is in", async () => {
  const input = createVmSchema.parse({ name: "inside", image: "mini", size: "nano", network: "lab" });
  const { id } = await createVm(bed.context, systemActor, input, null);
  await bed.addBackup(id, { repositoryId });
  await copyWaiting(bed.context);
  const [{ taskParams } = {}] = await bed.tasksOf(id, "backup");
  expect(taskParams).toMatchObject({ description: { name: "inside", network: "lab" } });
});

test.each<[what: string, said: object, asked: string | undefined, network: string]>([
  ["that is said to have been in a network of here", { network: "lab" }, undefined, "lab"],
  ["that was in a network which isn't here", { network: "elsewhere" }, undefined, "default"],
  ["of before networks were written down", { network: undefined }, undefined, "default"],
  ["for which another network is asked for", { network: "small" }, "lab", "lab"],
  ["for which the network default is asked for", { network: "lab" }, "default", "default"],
])("the restored VM %s is in the right one", async (_what, said, asked, network) => {
  await ask(asked);
  await endRestore(said);
  expect(await lastRestore()).toMatchObject({ status: "done", error: null });
  expect(await networkOfHeir()).toBe(network);
});

test("a restore into a network that isn't there is refused, and nothing begins", async () => {
  const fields = { network: "There is no network nowhere." };
  await expect(ask("nowhere")).rejects.toMatchObject({ code: "bad_request", message: fields.network, fields });
  expect(await lastRestore()).toBeUndefined();
});

test("a restore that was asked for before networks could be ends in the VM's own", async () => {
  const { id } = await ask();
  const { network: _network, ...before } = (await lastRestore())?.taskParams ?? {};
  await bed.context.db.update(operations).set({ taskParams: before }).where(eq(operations.id, id));
  await endRestore({ network: "lab" });
  expect(await networkOfHeir()).toBe("lab");
});

test("a network that is gone by the end of the restore is said to be: the image is there, and no VM", async () => {
  await ask("lab");
  await bed.context.db.delete(networks).where(eq(networks.name, "lab"));
  await endRestore({ network: "default" });
  const error = "Its disk is there as the image heir, but no VM could be created: There is no network lab.";
  expect(await lastRestore()).toMatchObject({ status: "failed", error, result: { imageId: expect.any(Number) } });
  expect(await networkOfHeir()).toBeUndefined();
});

test.each([
  ["asked for", "small"],
  ["the VM's own", undefined],
])("a network that is %s and full by the end of the restore is said to be", async (_what, asked) => {
  await ask(asked);
  const [small] = await bed.context.db.select().from(networks).where(eq(networks.name, "small"));
  await bed.context.db.insert(addresses).values({ networkId: small?.id ?? 0, ipv4: "10.20.1.2" });
  await endRestore({ network: "small" });
  const error = expect.stringMatching(/no VM could be created: The network small .* has no free address/);
  expect(await lastRestore()).toMatchObject({ status: "failed", error });
  expect(await networkOfHeir()).toBeUndefined();
});
