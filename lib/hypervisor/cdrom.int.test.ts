import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ImageManifest } from "../domain/image";
import type { MachineSpec } from "../domain/machine";
import { MIB } from "../domain/units";
import { pathsOf } from "../env";
import { installImage } from "../images/store";
import type { Hypervisor } from "./hypervisor";
import { machinePaths } from "./machinePaths";
import { cdEfiGreeting, cdGreeting, cdInstalled, makeInstallerIso } from "./testing/testCd";
import { TestHost, untilSeen } from "./testing/testHost";
import { until } from "./testing/until";

const bootMs = 60_000;

let host: TestHost;
let agent: Hypervisor;
let folder: string;
let iso: ImageManifest;

beforeAll(async () => {
  host = await TestHost.make();
  agent = await host.agent();
  folder = await mkdtemp(join(tmpdir(), "cumulus-"));
  iso = await installImage(pathsOf(host.settings), await makeInstallerIso(folder), {
    name: "installer",
    title: "Installer",
    description: "",
    kind: "iso",
    arch: "x86_64",
    firmware: "bios",
    firmwares: ["bios", "uefi"],
    minMemoryBytes: 16 * MIB,
    loginUser: "root",
    recipeHash: null,
  });
});
afterAll(async () => {
  await host.close();
  await rm(folder, { recursive: true, force: true });
});

/** What the guest has said on its serial port since a mark, which is where the log ended then. */
async function said(id: number, since = 0): Promise<string> {
  const text = await readFile(machinePaths(host.settings, id).serialLog, "utf8").catch(() => "");
  return text.slice(since);
}

const untilSaid = (id: number, words: string, since = 0) =>
  until(async () => ((await said(id, since)).includes(words) ? true : null), bootMs);

async function startFromIso(id: number, changes: Partial<MachineSpec> = {}): Promise<MachineSpec> {
  const spec = await host.spec(id, {
    disk: { imageSha256: null, sizeBytes: 64 * MIB },
    cdrom: { sha256: iso.sha256 },
    bootFrom: "cdrom",
    ...changes,
  });
  await agent.ensure(spec);
  await agent.start(id);
  return spec;
}

/** A command on that one of the VM's two QMP sockets that the agent doesn't use: what somebody else does to the machine. */
async function qmp(id: number, execute: string, args: object): Promise<void> {
  const paths = machinePaths(host.settings, id);
  let text = "";
  const sockets = [paths.qmp, paths.rescue].map((path) => {
    const socket = createConnection({ path });
    // Only one that is free greets.
    socket.once("data", () => {
      socket.write(`{"execute":"qmp_capabilities"}\n${JSON.stringify({ execute, arguments: args })}\n`);
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
    });
    return socket;
  });
  await until(() => text.match(/"return"/g)?.length === 2);
  for (const socket of sockets) socket.destroy();
}

test("a system is installed from an ISO on an empty disk, the disc taken out, and the disk boots", async () => {
  const spec = await startFromIso(1);
  await untilSaid(1, cdInstalled);
  expect(await said(1)).toContain(cdGreeting);
  expect(await agent.observe(1)).toMatchObject({ cdromSha256: iso.sha256, bootCount: 1 });

  const { pid } = await agent.observe(1);
  expect(await agent.ensure({ ...spec, cdrom: null })).toMatchObject({ cdromSha256: null, pid });
  // Asked twice, done once.
  expect(await agent.ensure({ ...spec, cdrom: null })).toMatchObject({ cdromSha256: null });
  const mark = (await said(1)).length;
  await agent.reset(1, 1);
  await untilSaid(1, "Linux version 0 (test guest)", mark);
  expect(await said(1, mark)).not.toContain(cdGreeting);

  await agent.stop(1);
  await agent.start(1);
  await untilSeen(agent, 1, (seen) => seen.milestones["first-boot"] !== undefined, bootMs);
  await agent.remove(1);
});

test("a disc goes into a machine that runs, the boot order counts from its next reset, and both outlive the agent", async () => {
  const spec = await host.spec(2);
  await agent.ensure(spec);
  await agent.start(2);
  await untilSeen(agent, 2, (seen) => seen.milestones["first-boot"] !== undefined, bootMs);
  await expect(agent.removeImage({ sha256: spec.disk.imageSha256 ?? "", name: "test-guest" })).rejects.toMatchObject({
    code: "conflict",
  });

  const withDisc = { ...spec, cdrom: { sha256: iso.sha256 } };
  expect(await agent.ensure(withDisc)).toMatchObject({ cdromSha256: iso.sha256 });
  await expect(agent.removeImage(iso)).rejects.toMatchObject({ code: "conflict" });
  let mark = (await said(2)).length;
  await agent.reset(2, 1);
  await untilSaid(2, "Linux version 0 (test guest)", mark);

  await agent.ensure({ ...withDisc, bootFrom: "cdrom" });
  mark = (await said(2)).length;
  await agent.reset(2, 2);
  await untilSaid(2, cdGreeting, mark);

  await agent.close();
  agent = await host.agent();
  const back = await untilSeen(agent, 2, (seen) => seen.state === "running");
  expect(back).toMatchObject({ cdromSha256: iso.sha256 });
  expect(await agent.ensure({ ...spec, bootFrom: "cdrom" })).toMatchObject({ cdromSha256: null });
  await agent.remove(2);
});

test("a disc that the guest ejects is out of the drive, and can be put in again", async () => {
  const spec = await startFromIso(3);
  await untilSaid(3, cdGreeting);
  await qmp(3, "blockdev-open-tray", { id: "cd0", force: true });
  await untilSeen(agent, 3, (seen) => seen.cdromSha256 === null);
  expect(await agent.ensure(spec)).toMatchObject({ cdromSha256: iso.sha256 });
  const mark = (await said(3)).length;
  await agent.reset(3, 1);
  await untilSaid(3, cdGreeting, mark);
  await agent.remove(3);
});

test("an ISO that isn't there is refused, and the drive stays as it is", async () => {
  const spec = await startFromIso(4);
  const missing = { ...spec, cdrom: { sha256: "f".repeat(64) } };
  await expect(agent.ensure(missing)).rejects.toMatchObject({
    code: "not_found",
    message: expect.stringMatching(/eject it, or add it again/),
  });
  expect(await agent.observe(4)).toMatchObject({ cdromSha256: iso.sha256 });
  await agent.remove(4);
  await expect(agent.ensure({ ...missing, id: 5 }).then(() => agent.start(5))).rejects.toMatchObject({
    code: "not_found",
  });
  await agent.remove(5);
});

test("a disk that began empty has snapshots, from which other machines start", async () => {
  await startFromIso(7);
  await untilSaid(7, cdInstalled);
  const silent = { progress() {}, log() {} };
  const ask = { snapshotId: 1, operationId: 1, memory: false, freeze: false };
  const { machine } = await agent.takeSnapshot(7, ask, silent, new AbortController().signal);
  expect(machine.imageSha256).toBeNull();
  await agent.remove(7);
  const disk = { imageSha256: null, sizeBytes: 64 * MIB, snapshotId: 1 };
  await agent.ensure(await host.spec(8, { disk }));
  await agent.start(8);
  await untilSaid(8, "Linux version 0 (test guest)");
  await agent.remove(8);
  await agent.removeSnapshot(1);
});

test("a machine with UEFI boots from the disc too, and keeps its variables to itself", async () => {
  await startFromIso(6, { firmware: "uefi", memoryBytes: 128 * MIB });
  await untilSaid(6, cdEfiGreeting);
  const { uefiVars, disk } = machinePaths(host.settings, 6);
  const { uid, mode } = await stat(uefiVars);
  expect(uid).toBe((await stat(disk)).uid);
  expect(mode & 0o077).toBe(0);
  await agent.remove(6);
  await expect(stat(uefiVars)).rejects.toMatchObject({ code: "ENOENT" });
});
