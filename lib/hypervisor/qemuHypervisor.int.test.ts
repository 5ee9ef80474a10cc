import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sshHostPortOf } from "../domain/machine";
import { pathsOf } from "../env";
import { commandLineOf, startTimeOf } from "../system/platform";
import type { Hypervisor } from "./hypervisor";
import { machinePaths } from "./machinePaths";
import { TestHost } from "./testing/testHost";
import { startTestVm } from "./testing/testVm";
import { until } from "./testing/until";

let host: TestHost;
let agent: Hypervisor;
let lastId = 0;

beforeAll(async () => {
  host = await TestHost.make();
  agent = await host.agent();
});
afterAll(async () => {
  await host.close();
});

const running = () => startTestVm(host, agent, ++lastId);

describe("start and stop", () => {
  test("are idempotent, and count boots", async () => {
    const { id, pid } = await running();
    expect(await agent.start(id)).toMatchObject({ state: "running", pid, bootCount: 1 });
    expect(await agent.stop(id)).toMatchObject({ state: "stopped", stoppedBy: "request", pid: null });
    expect(await startTimeOf(pid)).toBeNull();
    expect(await agent.stop(id)).toMatchObject({ state: "stopped", stoppedBy: "request" });
    expect(await agent.start(id)).toMatchObject({ state: "running", bootCount: 2 });
    await agent.remove(id);
  });

  test("two at once make one QEMU", async () => {
    const spec = await host.spec(++lastId);
    await Promise.all([agent.ensure(spec), agent.ensure(spec)]);
    const [first, second] = await Promise.all([agent.start(spec.id), agent.start(spec.id)]);
    expect(first.pid).toBe(second.pid);
    expect(await host.qemuPids()).toEqual([first.pid]);
    await agent.remove(spec.id);
  });

  test("a host port that is taken is a conflict that names it, and leaves the VM as it was", async () => {
    const spec = await host.spec(++lastId);
    const port = sshHostPortOf(spec) ?? 0;
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    await agent.ensure(spec);
    await expect(agent.start(spec.id)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(String(port)),
    });
    expect(await agent.observe(spec.id)).toMatchObject({ state: "stopped", stoppedBy: null, bootCount: 0 });
    await new Promise((resolve) => server.close(resolve));
    expect(await agent.start(spec.id)).toMatchObject({ state: "running" });
    await agent.remove(spec.id);
  });

  test("a damaged disk is told, and the VM is as before", async () => {
    const spec = await host.spec(++lastId);
    await agent.ensure(spec);
    await writeFile(machinePaths(host.settings, spec.id).disk, Buffer.alloc(65536), { flag: "r+" });
    await expect(agent.start(spec.id)).rejects.toThrow(/disk .* damaged/);
    expect(await agent.observe(spec.id)).toMatchObject({ state: "stopped", bootCount: 0, pid: null });
    expect(await host.qemuPids()).toEqual([]);
    await agent.remove(spec.id);
  });

  test("a disk that another process uses is a conflict, and the VM is as before", async () => {
    const spec = await host.spec(++lastId);
    await agent.ensure(spec);
    const { disk } = machinePaths(host.settings, spec.id);
    const other = spawn("qemu-system-x86_64", [
      "-nodefaults",
      "-display",
      "none",
      "-S",
      "-hda",
      disk,
      "-serial",
      "stdio",
    ]);
    other.stdin.end();
    const { ino } = await stat(disk);
    await until(async () => (await readFile("/proc/locks", "utf8")).includes(`:${ino} `));
    await expect(agent.start(spec.id)).rejects.toMatchObject({ code: "conflict" });
    other.kill("SIGKILL");
    expect(await agent.observe(spec.id)).toMatchObject({ state: "stopped", bootCount: 0, pid: null });
    await agent.remove(spec.id);
  });

  test("what QEMU listens on by TCP is the forward to SSH on the loopback and nothing else", async () => {
    const { id, pid } = await running();
    const spec = JSON.parse(await readFile(machinePaths(host.settings, id).spec, "utf8"));
    expect(await listeningSockets(pid)).toEqual([`127.0.0.1:${spec.interfaces[0].sshHostPort}`]);
    await agent.remove(id);
  });
});

describe("ensure", () => {
  test("grows a disk, takes over memory at the next start, and refuses to shrink", async () => {
    const spec = await host.spec(++lastId);
    await agent.ensure(spec);
    const larger = {
      ...spec,
      memoryBytes: 2 * spec.memoryBytes,
      disk: { ...spec.disk, sizeBytes: 2 * spec.disk.sizeBytes },
    };
    await agent.ensure(larger);
    await expect(agent.ensure(spec)).rejects.toMatchObject({ code: "bad_request" });
    const { pid } = await agent.start(spec.id);
    expect(await commandLineOf(pid ?? 0)).toContain("size=64M");
    const disk = await readFile(machinePaths(host.settings, spec.id).disk);
    expect(Number(disk.readBigUInt64BE(24))).toBe(larger.disk.sizeBytes);
    await agent.remove(spec.id);
  });

  test("without the image says so, and leaves nothing", async () => {
    const spec = await host.spec(++lastId);
    const stranger = { ...spec, disk: { ...spec.disk, imageSha256: "0".repeat(64) } };
    await expect(agent.ensure(stranger)).rejects.toMatchObject({ code: "not_found" });
    expect(await agent.observe(spec.id)).toMatchObject({ state: "absent" });
    expect(await readdir(pathsOf(host.settings).machines)).toEqual([]);
  });

  test("an image that a disk builds on can't be removed", async () => {
    const spec = await host.spec(++lastId);
    await agent.ensure(spec);
    await expect(agent.removeImage({ sha256: host.imageSha256, name: "test-guest" })).rejects.toMatchObject({
      code: "conflict",
    });
    await agent.remove(spec.id);
  });
});

describe("traces", () => {
  test("each file is as private as it can be", async () => {
    const { id } = await running();
    const paths = machinePaths(host.settings, id);
    const uid = 1_900_000_000 + id;
    for (const path of [paths.disk, paths.state, paths.spec, paths.serialLog, paths.qemuLog]) {
      expect(`${path} ${await modeOf(path)}`).toBe(`${path} 600`);
    }
    expect(await modeOf(paths.seed)).toBe("400");
    expect(await modeOf(paths.folder)).toBe("710");
    expect(await modeOf(paths.runFolder)).toBe("710");
    expect(await modeOf(join(pathsOf(host.settings).images, `${host.imageSha256}.qcow2`))).toBe("440");
    expect((await stat(paths.disk)).uid).toBe(uid);
    expect((await stat(paths.spec)).uid).toBe(0);
    expect((await stat(paths.runFolder)).uid).toBe(0);
    const status = await readFile(`/proc/${(await agent.observe(id)).pid}/status`, "utf8");
    expect(status).toMatch(new RegExp(`Uid:\t${uid}\t${uid}\t${uid}`));
    expect(status).toMatch(/NoNewPrivs:\t1/);
    expect(status).toMatch(/Seccomp:\t2/);
    await agent.remove(id);
  });

  test("nothing is left of a VM that is removed, and removing it again is done", async () => {
    const { id, pid } = await running();
    await agent.remove(id);
    await agent.remove(id);
    expect(await startTimeOf(pid)).toBeNull();
    expect(await readdir(pathsOf(host.settings).machines)).toEqual([]);
    expect(await readdir(pathsOf(host.settings).machineSockets)).toEqual([]);
    expect(await readdir(pathsOf(host.settings).staging)).toEqual([]);
    expect(await agent.observe(id)).toMatchObject({ state: "absent" });
    await expect(agent.start(id)).rejects.toMatchObject({ code: "not_found" });
  });
});

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

/** Addresses that a process listens on by TCP, from /proc (proc(5), "net/tcp"). */
async function listeningSockets(pid: number): Promise<string[]> {
  const links = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")),
  );
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const found: string[] = [];
  for (const table of ["tcp", "tcp6"]) {
    for (const line of (await readFile(`/proc/net/${table}`, "utf8")).split("\n").slice(1)) {
      const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state !== "0A" || !inodes.has(inode)) continue;
      const [address = "", port = ""] = local.split(":");
      const bytes = Buffer.from(address, "hex").reverse();
      found.push(`${[...bytes].join(".")}:${Number.parseInt(port, 16)}`);
    }
  }
  return found;
}
