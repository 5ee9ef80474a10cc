import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { audit } from "../../lib/doctor/audit";
import type { Image } from "../../lib/domain/image";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { pathsOf } from "../../lib/env";
import { machinePaths } from "../../lib/hypervisor/machinePaths";
import { rawDisk } from "../../lib/images/testing/images";
import { startTimeOf } from "../../lib/system/platform";
import { signal } from "../../lib/system/testing/signal";
import { until } from "../stack";
import { type FaultStack, startFaultStack } from "./faultStack";

let stack: FaultStack;
let vm: Vm;
let cleanUp: (() => Promise<unknown> | unknown)[] = [];

beforeAll(async () => {
  stack = await startFaultStack();
  vm = await stack.settles((await stack.createVm("victim")).id, { status: "running" });
}, 120_000);
afterEach(async () => {
  for (const act of cleanUp.reverse()) await act();
  cleanUp = [];
  await stack.revive();
  await stack.agrees();
});
afterAll(() => stack?.stop());

const told = async () => (await audit(stack.settings)).disagreements.map(({ message }) => message);
const isAlive = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null;

/** A process of somebody else's, ended after the test. */
async function stranger(program: string, args: string[]): Promise<ChildProcess & { pid: number }> {
  const child = spawn(program, args, { stdio: "ignore" });
  cleanUp.push(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  return child as ChildProcess & { pid: number };
}

async function restartAgent(): Promise<void> {
  await stack.kill("agent");
  await stack.revive();
}

test("a record that names a foreign process has nobody killed: not at a restart, not at stop, not at start", async () => {
  const { state: stateFile } = machinePaths(stack.settings, vm.id);
  const foreign = await stranger("sleep", ["600"]);
  const identity = { pid: foreign.pid, startTime: await startTimeOf(foreign.pid) };
  const pid = await stack.qemuPid(vm.id);
  await stack.kill("agent");
  signal(pid, "SIGKILL");
  const state: object = JSON.parse(await readFile(stateFile, "utf8"));
  // As if it were being stopped: an agent that believed the record would go on to end that process.
  await writeFile(stateFile, JSON.stringify({ ...state, intent: "stopped", process: identity }));
  expect(await told()).toContainEqual(
    expect.stringMatching(`process ${foreign.pid} is the QEMU of VM victim .*, and it is sleep`),
  );
  await stack.revive();
  await stack.power(vm.id, "stop");
  await stack.settles(vm.id, { status: "stopped" });
  await stack.power(vm.id, "start");
  await stack.settles(vm.id, { status: "running" });
  expect(isAlive(foreign)).toBe(true);
});

test("a QEMU with a VM's uuid and other folders is neither adopted nor ended", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cumulus-lookalike-"));
  cleanUp.push(() => rm(folder, { recursive: true }));
  const { uuid } = JSON.parse(await readFile(machinePaths(stack.settings, vm.id).spec, "utf8"));
  const lookAlike = await stranger("qemu-system-x86_64", [
    ...["-nodefaults", "-display", "none", "-S", "-machine", "accel=tcg", "-m", "16M", "-uuid", uuid],
    ...["-name", `cumulus-${vm.id}`, "-qmp", `unix:${folder}/qmp.sock,server=on,wait=off`],
  ]);
  const pid = await stack.qemuPid(vm.id);
  await restartAgent();
  await stack.settles(vm.id, { status: "running" });
  expect(await stack.qemuPid(vm.id)).toBe(pid);
  await stack.power(vm.id, "stop");
  await stack.settles(vm.id, { status: "stopped" });
  await stack.power(vm.id, "start");
  await stack.settles(vm.id, { status: "running" });
  expect(isAlive(lookAlike)).toBe(true);
});

test("a VM's folder and sockets that the database doesn't know are left alone and told", async () => {
  const { folder, runFolder } = machinePaths(stack.settings, vm.id);
  const orphan = machinePaths(stack.settings, 9_999);
  await cp(folder, orphan.folder, { recursive: true });
  await mkdir(orphan.runFolder, { mode: 0o700 });
  const server = createServer().listen(orphan.qmp);
  await once(server, "listening");
  cleanUp.push(() => rm(orphan.folder, { recursive: true }));
  cleanUp.push(() => rm(orphan.runFolder, { recursive: true }));
  cleanUp.push(() => server.close());
  const pid = await stack.qemuPid(vm.id);
  await restartAgent();
  await stack.settles(vm.id, { status: "running" });
  expect(await stack.qemuPid(vm.id)).toBe(pid);
  expect((await stat(orphan.disk)).isFile()).toBe(true);
  expect((await stat(orphan.qmp)).isSocket()).toBe(true);
  expect((await stat(runFolder)).isDirectory()).toBe(true);
  const messages = await told();
  for (const path of [orphan.folder, orphan.runFolder]) {
    expect(messages).toContainEqual(expect.stringContaining(`${path} belongs to no VM of the database`));
  }
});

test("what a crash left half made is swept at the next start, and nothing that only looks like it", async () => {
  const { machines, staging } = pathsOf(stack.settings);
  const left = [join(machines, ".making-77"), join(machines, ".removing-78"), join(staging, "seed-Ab12Cd")];
  const kept = [join(machines, "notes"), join(staging, "mine.txt")];
  for (const path of [...left, ...kept]) await mkdir(path);
  cleanUp.push(() => Promise.all(kept.map((path) => rm(path, { recursive: true }))));
  await restartAgent();
  for (const path of left) await expect(stat(path)).rejects.toThrow("ENOENT");
  for (const path of kept) expect((await stat(path)).isDirectory()).toBe(true);
});

test("an image that was on its way into the store when the agent was killed is there once, and nothing else of it", async () => {
  const before = await stack.api<{ items: Image[] }>("GET", "/api/images");
  await stack.arm("agent.install.moved", "agent");
  const response = await fetch(`${stack.url}/api/images/upload?name=cut&fileName=cut.raw`, {
    method: "PUT",
    headers: { authorization: `Bearer ${stack.token}`, "content-type": "application/octet-stream" },
    body: new Uint8Array(rawDisk()),
  });
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as Operation;
  await stack.died("agent");
  await stack.revive();
  const read = async () => (await stack.tryApi<Operation>("GET", `/api/operations/${id}`))?.body;
  await until(`operation ${id} ends`, async () => (await read())?.finishedAt != null);
  expect(await read()).toMatchObject({ status: "done", error: null });
  const after = await stack.api<{ items: Image[] }>("GET", "/api/images");
  expect(after.body.items.map(({ name }) => name).sort()).toEqual(
    [...before.body.items.map(({ name }) => name), "cut"].sort(),
  );
  expect(await readdir(pathsOf(stack.settings).staging)).toEqual([]);
});

test("images that share a file are all right to the doctor, and when the last is deleted nothing of them is left", async () => {
  const folder = await mkdtemp(join(tmpdir(), "shared-"));
  cleanUp.push(() => rm(folder, { recursive: true }));
  const file = join(folder, "disk.qcow2");
  await execa("qemu-img", ["create", "-q", "-f", "qcow2", file, "64M"]);
  const upload = async (name: string) => {
    const response = await fetch(`${stack.url}/api/images/upload?fileName=disk.qcow2&name=${name}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${stack.token}`, "content-type": "application/octet-stream" },
      body: new Uint8Array(await readFile(file)),
    });
    return imageOf((await response.json()).id);
  };
  const ended = async (id: number) => {
    const read = async () => (await stack.api<Operation>("GET", `/api/operations/${id}`)).body;
    await until(`operation ${id} ends`, async () => (await read()).finishedAt !== null);
    return read();
  };
  const imageOf = async (operationId: number) => (await ended(operationId)).result?.imageId;
  const ids = [await upload("shared"), await upload("shared-too")];
  for (const id of ids) {
    expect(await told()).toEqual([]);
    await ended((await stack.api<Operation>("DELETE", `/api/images/${id}`)).body.id);
  }
  expect(await told()).toEqual([]);
  expect((await readdir(pathsOf(stack.settings).images)).filter((name) => name.includes("shared"))).toEqual([]);
});

test("the doctor's command tells each disagreement in a sentence and by its exit status", async () => {
  const run = async (env: Record<string, string> = {}) => {
    const { dataDir, runDir } = stack.settings;
    const child = spawn(process.execPath, ["--import", "tsx", "lib/doctor/main.ts"], {
      env: { ...process.env, CUMULUS_DATA_DIR: dataDir, CUMULUS_RUN_DIR: runDir, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    const [status] = await once(child, "close");
    return { status, output };
  };
  expect(await run()).toMatchObject({
    status: 0,
    output: expect.stringMatching(/^No disagreement: 1 VM, 1 process, 1 disk, \d+ images?, \d+ files\.\n$/),
  });
  const orphan = machinePaths(stack.settings, 9_998).folder;
  await mkdir(orphan);
  cleanUp.push(() => rm(orphan, { recursive: true }));
  const found = await run();
  expect(found.status).toBe(1);
  expect(found.output).toContain(`${orphan} belongs to no VM of the database`);
  const away = await run({ CUMULUS_DATA_DIR: join(orphan, "nothing"), CUMULUS_RUN_DIR: join(orphan, "nothing") });
  expect(away).toMatchObject({ status: 2, output: expect.stringContaining("the database doesn't answer") });
});
