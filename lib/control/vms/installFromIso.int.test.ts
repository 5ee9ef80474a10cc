import { eq } from "drizzle-orm";
import { verify } from "unixcrypt";
import { beforeEach, describe, expect, test } from "vitest";
import { testHypervisor } from "../../agent/testAgent";
import { idempotencyKeys } from "../../db/schema/api";
import { hosts } from "../../db/schema/hosts";
import { images } from "../../db/schema/images";
import { operations } from "../../db/schema/operations";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import { emptyFirstBootReport, withKeyUser, withProblem, withStage } from "../../domain/firstBootReport";
import { createImageSchema } from "../../domain/imageRequest";
import { recipeSchema } from "../../domain/recipe";
import { MIB } from "../../domain/units";
import { createVmSchema, updateVmSchema } from "../../domain/vm";
import type { FakeHypervisor } from "../../hypervisor/fake";
import { type Context, systemActor } from "../context";
import { convergeVm } from "../converge";
import { requestImage } from "../images/request";
import { listImages } from "../images/view";
import { addOperation, getOperation } from "../operations";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "./create";
import { destroyVm } from "./destroy";
import { changeCdrom } from "./media";
import { powerVm } from "./power";
import { updateVm } from "./update";
import { getVm } from "./view";

const plane = testControlPlane();
let hypervisor: FakeHypervisor;
let context: Context;
let count = 0;

beforeEach(async () => {
  hypervisor = testHypervisor();
  context = await plane.hostedContextWith(hypervisor);
});

/** A VM that runs, as a request for it makes one. */
async function running(request: object): Promise<number> {
  count += 1;
  const input = createVmSchema.parse({ name: `vm-${count}`, size: "nano", ...request });
  const { id } = await createVm(context, systemActor, input, `key-${count}`);
  await convergeVm(context, id);
  return id;
}

const cdromOf = async (id: number) => (await getVm(context, id)).cdrom?.name ?? null;

describe("a VM that is installed from an ISO", () => {
  test("starts with an empty disk and the disc, and boots from that until told otherwise", async () => {
    const id = await running({ image: "installer", firmware: "uefi", disk: "64M" });
    expect(await getVm(context, id)).toMatchObject({
      status: "running",
      cdrom: { name: "installer" },
      bootFrom: "cdrom",
      firmware: "uefi",
    });
    const { id: operationId } = await changeCdrom(context, systemActor, id, { image: null, bootFrom: "disk" });
    expect(await getVm(context, id)).toMatchObject({ cdrom: null, isCdromChanging: true });
    await convergeVm(context, id);
    expect(await getOperation(context, operationId)).toMatchObject({
      kind: "change-media",
      status: "done",
      message: "The drive is empty. It boots from its disk first.",
    });
    expect(await hypervisor.observe(id)).toMatchObject({ cdromSha256: null });
    expect(await getVm(context, id)).toMatchObject({ cdrom: null, isCdromChanging: false, bootFrom: "disk" });
  });

  test("may have a disk that is smaller than the ISO, and be resized", async () => {
    const id = await running({ image: "installer", disk: "64M" });
    await powerVm(context, systemActor, id, "stop");
    await convergeVm(context, id);
    const resized = await updateVm(context, systemActor, id, updateVmSchema.parse({ disk: "96M" }));
    expect(resized.size.diskBytes).toBe(96 * MIB);
  });

  test("holds on to the ISO as long as that lies in its drive", async () => {
    const countOf = async () => (await listImages(context)).find(({ name }) => name === "installer")?.vmCount;
    const before = (await countOf()) ?? 0;
    const id = await running({ image: "installer" });
    expect(await countOf()).toBe(before + 1);
    await changeCdrom(context, systemActor, id, { image: null });
    expect(await countOf()).toBe(before);
  });

  test("whose guest ejects the disc has an empty drive from then on", async () => {
    const id = await running({ image: "installer" });
    hypervisor.ejectDisc(id);
    await convergeVm(context, id);
    expect(await cdromOf(id)).toBeNull();
    const [eject] = await context.db.select().from(operations).where(eq(operations.kind, "guest-eject"));
    expect(eject).toMatchObject({ vmId: id, status: "done" });
  });
});

describe("a change of the drive", () => {
  test("comes to a VM that is off", async () => {
    const id = await running({ image: "mini" });
    await powerVm(context, systemActor, id, "stop");
    await convergeVm(context, id);
    const { id: operationId } = await changeCdrom(context, systemActor, id, { image: "installer" });
    await convergeVm(context, id);
    expect(await hypervisor.observe(id)).toMatchObject({ state: "stopped", cdromSha256: "1".repeat(64) });
    expect(await getOperation(context, operationId)).toMatchObject({ status: "done" });
  });

  test("for a disc of another architecture, which the machine can't boot, is refused", async () => {
    const id = await running({ image: "mini" });
    await context.db.update(images).set({ arch: "aarch64" }).where(eq(images.name, "installer"));
    const foreign = changeCdrom(context, systemActor, id, { image: "installer" });
    await expect(foreign).rejects.toMatchObject({ code: "bad_request", fields: { image: expect.any(String) } });
    expect(await cdromOf(id)).toBeNull();
  });

  test("a recipe that runs programs is refused for an image of another architecture than the host's", async () => {
    await context.db.update(images).set({ arch: "aarch64" }).where(eq(images.name, "mini"));
    const steps = [{ type: "script", script: "#!/bin/sh\n" }];
    const ask = { base: "mini", recipe: recipeSchema.parse({ name: "r", title: "R", steps }) };
    const asked = requestImage(context, systemActor, createImageSchema.parse(ask), null);
    await expect(asked).rejects.toMatchObject({ code: "bad_request", fields: { base: expect.any(String) } });
  });

  test("that is asked for while the guest ejects is carried out", async () => {
    const id = await running({ image: "installer" });
    hypervisor.ejectDisc(id);
    await changeCdrom(context, systemActor, id, { image: "installer" });
    await convergeVm(context, id);
    expect(await cdromOf(id)).toBe("installer");
    expect(await hypervisor.observe(id)).toMatchObject({ cdromSha256: "1".repeat(64) });
  });

  test("that the host refuses is taken back, with its reason", async () => {
    const id = await running({ image: "installer" });
    const { id: operationId } = await changeCdrom(context, systemActor, id, { image: null });
    hypervisor.ensure = () => Promise.reject(Object.assign(new Error("The tray is stuck."), { code: "conflict" }));
    await convergeVm(context, id);
    expect(await getOperation(context, operationId)).toMatchObject({ status: "failed" });
    expect(await cdromOf(id)).toBe("installer");
  });

  test("that waits while the VM is told to stop comes to it when it is off", async () => {
    const id = await running({ image: "mini" });
    await powerVm(context, systemActor, id, "shutdown");
    const { id: operationId } = await changeCdrom(context, systemActor, id, { image: "installer" });
    await powerVm(context, systemActor, id, "stop");
    await convergeVm(context, id);
    expect(await hypervisor.observe(id)).toMatchObject({ state: "stopped", cdromSha256: "1".repeat(64) });
    expect(await cdromOf(id)).toBe("installer");
    expect(await getOperation(context, operationId)).toMatchObject({ status: "done" });
  });

  test("that the host refuses takes back none that was asked for meanwhile", async () => {
    const id = await running({ image: "mini" });
    const { ensure } = hypervisor;
    const first = await changeCdrom(context, systemActor, id, { image: null, bootFrom: "cdrom" });
    hypervisor.ensure = async () => {
      hypervisor.ensure = ensure;
      await changeCdrom(context, systemActor, id, { image: "installer" });
      throw new CumulusError("conflict", "The tray is stuck.");
    };
    await convergeVm(context, id);
    expect(await getOperation(context, first.id)).toMatchObject({ status: "failed", error: "The tray is stuck." });
    expect(await cdromOf(id)).toBe("installer");
    expect(await hypervisor.observe(id)).toMatchObject({ cdromSha256: "1".repeat(64) });
  });

  test("and one of the interfaces are superseded by the destruction of their VM alone", async () => {
    const id = await running({ image: "mini" });
    for (const kind of ["reboot", "change-media", "change-interfaces"] as const) {
      await addOperation(context.db, { kind, vmId: id, actor: "system" });
    }
    const open = async () => {
      const rows = await context.db.select().from(operations).where(eq(operations.vmId, id)).orderBy(operations.id);
      return rows.filter(({ status }) => status === "pending").map(({ kind }) => kind);
    };
    await powerVm(context, systemActor, id, "stop");
    expect(await open()).toEqual(["change-media", "change-interfaces", "stop"]);
    await destroyVm(context, systemActor, id, { withSnapshots: false });
    expect(await open()).toEqual(["destroy"]);
  });

  test("takes ISOs only", async () => {
    const id = await running({ image: "mini" });
    await expect(changeCdrom(context, systemActor, id, { image: "mini" })).rejects.toMatchObject({
      code: "bad_request",
      fields: { image: expect.stringContaining("installer") },
    });
  });
});

describe("what a host can't run is refused when it is asked for", () => {
  test("firmware that the image doesn't boot with", async () => {
    await expect(running({ image: "mini", firmware: "uefi" })).rejects.toMatchObject({
      fields: { firmware: "mini (x86_64) boots by BIOS, not by UEFI." },
    });
  });

  test("UEFI and processors that are not installed, with what to install", async () => {
    const report = await hypervisor.host();
    await context.db.update(hosts).set({ report: { ...report, uefiArchs: [] } });
    await expect(running({ image: "installer", firmware: "uefi" })).rejects.toMatchObject({
      fields: { firmware: expect.stringContaining("apt install ovmf") },
    });
    await context.db.update(hosts).set({ report: { ...report, guestArchs: ["aarch64"] } });
    await expect(running({ image: "mini" })).rejects.toMatchObject({
      fields: { image: expect.stringContaining("apt install qemu-system-x86") },
    });
  });
});

describe("a first boot", () => {
  test("keeps passwords as hashes and nowhere else", async () => {
    const id = await running({
      image: "mini",
      password: "open sesame",
      users: [{ name: "ada", password: "lovelace" }],
    });
    const [row] = await context.db.select().from(vms).where(eq(vms.id, id));
    const { passwordHash, users } = row?.firstBoot ?? {};
    expect(passwordHash).toMatch(/^\$6\$/);
    expect(verify("open sesame", passwordHash ?? "")).toBe(true);
    expect(verify("lovelace", users?.[0]?.passwordHash ?? "")).toBe(true);
    const everything = JSON.stringify([row, await context.db.select().from(operations), await getVm(context, id)]);
    expect(everything).not.toMatch(/open sesame|lovelace/);
  });

  test("takes the same request with the same key for the same, whatever its password", async () => {
    const request = createVmSchema.parse({ name: "once", image: "mini", size: "nano", password: "a" });
    const first = await createVm(context, systemActor, request, "once");
    const second = await createVm(context, systemActor, { ...request, password: "b" }, "once");
    expect(second.id).toBe(first.id);
    expect(await context.db.$count(idempotencyKeys, eq(idempotencyKeys.key, "once"))).toBe(1);
  });

  test("says at its field that a user is the image's own, and that a key is not there", async () => {
    await expect(running({ image: "mini", users: [{ name: "ada", sshKeys: ["none"] }] })).rejects.toMatchObject({
      fields: { "users.0.sshKeys.0": expect.any(String) },
    });
  });

  test("that failed in part is ready with errors, and tells which part, and when each stage began", async () => {
    const id = await running({ image: "mini" });
    await expect.poll(async () => (await hypervisor.observe(id)).milestones.ssh).toBeDefined();
    const at = new Date().toISOString();
    hypervisor.tellFirstBoot(id, (report) => withStage(report, "final", at));
    hypervisor.tellFirstBoot(id, (report) =>
      withProblem(report, "errors", { module: "scripts_user", lines: ["exit status 3"] }),
    );
    await convergeVm(context, id);
    expect(await getVm(context, id)).toMatchObject({
      status: "running",
      statusReason: "Ready with errors: scripts_user failed: exit status 3",
      firstBoot: {
        stages: [{ stage: "final", at, sinceStartMs: expect.any(Number) }],
        errors: [{ module: "scripts_user", lines: ["exit status 3"] }],
      },
    });
  });

  test("that gave its keys to another user than the image names is shown with that one, also after it boots again", async () => {
    const id = await running({ image: "mini", users: [{ name: "ada" }] });
    for (const name of ["ada", "opensuse"]) hypervisor.tellFirstBoot(id, (report) => withKeyUser(report, name));
    await convergeVm(context, id);
    expect((await getVm(context, id)).ssh).toMatchObject({
      user: "opensuse",
      command: expect.stringMatching(/ opensuse@/),
    });
    hypervisor.tellFirstBoot(id, () => emptyFirstBootReport);
    await convergeVm(context, id);
    expect((await getVm(context, id)).ssh.user).toBe("opensuse");
  });
});
