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
import { TestHost, untilSeen } from "./testing/testHost";
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

/** A VM that runs the test guest, up to its greeting. */
async function running(): Promise<{ id: number; pid: number }> {
  const spec = await host.spec(++lastId);
  await agent.ensure(spec);
  await agent.start(spec.id);
  const { pid } = await untilSeen(agent, spec.id, (seen) => seen.milestones["first-boot"] !== undefined);
  return { id: spec.id, pid: pid ?? 0 };
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

/** What a terminal on the VM's serial port shows, growing. */
async function terminal(id: number) {
  const stream = await agent.openSerial(id);
  const shown = { text: "", stream };
  stream.on("data", (chunk: Buffer) => {
    shown.text += chunk.toString();
  });
  return shown;
}

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

describe("the guest", () => {
  test("that turns itself off is stopped by the guest", async () => {
    const { id, pid } = await running();
    const { stream } = await terminal(id);
    stream.write("o");
    await untilSeen(agent, id, (seen) => seen.state === "stopped" && seen.stoppedBy === "guest");
    expect(await startTimeOf(pid)).toBeNull();
    await agent.remove(id);
  });

  test("that obeys the power button is stopped by request", async () => {
    const { id } = await running();
    expect(await agent.shutdown(id)).toMatchObject({ pendingAct: "shutdown" });
    await untilSeen(agent, id, (seen) => seen.state === "stopped" && seen.stoppedBy === "request");
    expect(await agent.lastScreenshot(id)).toMatchObject({ length: expect.any(Number) });
    await agent.remove(id);
  });

  test("that obeys the power button is rebooted once for an operation, in the same QEMU", async () => {
    const { id, pid } = await running();
    await agent.reboot(id, 7, 20_000);
    await untilSeen(agent, id, (seen) => seen.bootCount === 2 && seen.milestones["first-boot"] !== undefined);
    expect(await agent.reboot(id, 7, 20_000)).toMatchObject({ state: "running", pid, bootCount: 2, pendingAct: null });
    await agent.remove(id);
  });

  test("that is deaf to the power button is reset at the reboot's deadline", async () => {
    const { id, pid } = await running();
    const shown = await terminal(id);
    shown.stream.write("d");
    await until(() => shown.text.endsWith("d"));
    await agent.reboot(id, 8, 300);
    await untilSeen(agent, id, (seen) => seen.bootCount === 2);
    expect(await agent.observe(id)).toMatchObject({ state: "running", pid, pendingAct: null });
    await agent.remove(id);
  });

  test("that resets itself boots anew: its milestones begin again at the kernel", async () => {
    const { id } = await running();
    const before = await agent.observe(id);
    const { stream } = await terminal(id);
    stream.write("r");
    const after = await untilSeen(
      agent,
      id,
      (seen) => seen.bootCount === 2 && seen.milestones["first-boot"] !== undefined,
    );
    expect(after.milestones.started).toBe(before.milestones.started);
    expect(Date.parse(after.milestones.kernel ?? "")).toBeGreaterThan(Date.parse(before.milestones.kernel ?? ""));
    await agent.remove(id);
  });

  test("is paused, resumed and reset; a reset is done once for an operation", async () => {
    const { id } = await running();
    expect(await agent.pause(id)).toMatchObject({ state: "paused" });
    expect(await agent.pause(id)).toMatchObject({ state: "paused" });
    await expect(agent.shutdown(id)).rejects.toMatchObject({ code: "wrong_state" });
    expect(await agent.resume(id)).toMatchObject({ state: "running" });
    await agent.reset(id, 9);
    expect(await agent.reset(id, 9)).toMatchObject({ state: "running", bootCount: 2 });
    await agent.remove(id);
  });
});

describe("screen and keyboard", () => {
  test("a screenshot is a PNG, and none is to be had of a VM that is off", async () => {
    const { id } = await running();
    const [first, second] = await Promise.all([agent.screenshot(id), agent.screenshot(id)]);
    expect(first.subarray(0, 8)).toEqual(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
    expect(second).toEqual(first);
    await agent.stop(id);
    await expect(agent.screenshot(id)).rejects.toMatchObject({ code: "wrong_state" });
    expect((await agent.lastScreenshot(id))?.subarray(1, 4).toString()).toBe("PNG");
    await agent.remove(id);
  });

  test("VNC greets each of several viewers", async () => {
    const { id } = await running();
    for (const stream of [await agent.openVnc(id), await agent.openVnc(id)]) {
      const [greeting] = await once(stream, "data");
      expect(String(greeting)).toBe("RFB 003.008\n");
      stream.destroy();
    }
    await agent.remove(id);
  });

  test("typed text arrives in the guest, and typing stops when asked to", async () => {
    const { id } = await running();
    const shown = await terminal(id);
    const text = "Az09 ~!@#$%^&*()_+{}|:<>?`-=[]\\;',./\"";
    await agent.typeText(id, text, new AbortController().signal);
    await until(() => shown.text.endsWith(text));
    const abort = new AbortController();
    const typing = agent.typeText(id, "x".repeat(2000), abort.signal);
    await until(() => shown.text.endsWith("xx"));
    abort.abort();
    await typing;
    expect(shown.text.split("x").length).toBeLessThan(1000);
    await expect(agent.typeText(id, "né", abort.signal)).rejects.toMatchObject({ code: "bad_request" });
    await agent.remove(id);
  });

  test("terminals see the log from the first line, share the port, and outlive stop and start", async () => {
    const { id } = await running();
    const [first, second] = [await terminal(id), await terminal(id)];
    first.stream.write("hi");
    await until(() => first.text.includes("boot done\r\nhi") && second.text.includes("boot done\r\nhi"));
    await agent.stop(id);
    await agent.start(id);
    await until(() => second.text.split("Linux version").length === 3);
    second.stream.write("again");
    await until(() => first.text.endsWith("again"));
    await agent.remove(id);
    await until(() => first.stream.destroyed);
  });

  test("people on the host reach the serial port by its socket, beside terminals that are open", async () => {
    const { id } = await running();
    const open = await terminal(id);
    const socat = spawn("socat", ["-", `unix-connect:${machinePaths(host.settings, id).serial}`]);
    let output = "";
    socat.stdout.on("data", (chunk) => {
      output += chunk;
    });
    socat.stdin.write("hi");
    await until(() => output.includes("Linux version") && output.endsWith("hi") && open.text.endsWith("hi"));
    open.stream.write("hi");
    await until(() => output.endsWith("hihi"));
    socat.kill();
    open.stream.write("!");
    await until(() => open.text.endsWith("hihi!"));
    await agent.remove(id);
  });
});

describe("faults", () => {
  test("a QEMU that is killed is seen as crashed within 2 s, with the signal", async () => {
    const { id, pid } = await running();
    process.kill(pid, "SIGKILL");
    const seen = await untilSeen(agent, id, ({ state }) => state === "crashed", 2000);
    expect(seen.reason).toContain("SIGKILL");
    expect(await agent.start(id)).toMatchObject({ state: "running", bootCount: 2 });
    await agent.remove(id);
  });

  test("a QEMU that someone ends by SIGTERM has crashed too", async () => {
    const { id, pid } = await running();
    process.kill(pid, "SIGTERM");
    expect(await untilSeen(agent, id, ({ state }) => state === "crashed", 2000)).toMatchObject({ stoppedBy: null });
    await agent.remove(id);
  });

  test("a QEMU that is stopped is unresponsive within 5 s, delays nobody, and is back when it goes on", async () => {
    const [stopped, other] = [await running(), await running()];
    process.kill(stopped.pid, "SIGSTOP");
    await untilSeen(agent, stopped.id, ({ state }) => state === "unresponsive", 5000);
    const startedAtMs = Date.now();
    await agent.pause(other.id);
    await agent.resume(other.id);
    await agent.observeAll();
    expect(Date.now() - startedAtMs).toBeLessThan(1000);
    process.kill(stopped.pid, "SIGCONT");
    await untilSeen(agent, stopped.id, ({ state, pid }) => state === "running" && pid === stopped.pid, 5000);
    await Promise.all([agent.remove(stopped.id), agent.remove(other.id)]);
  });

  test("stop ends even a QEMU that doesn't answer", async () => {
    const { id, pid } = await running();
    process.kill(pid, "SIGSTOP");
    expect(await agent.stop(id)).toMatchObject({ state: "stopped", stoppedBy: "request" });
    expect(await startTimeOf(pid)).toBeNull();
    await agent.remove(id);
  }, 20_000);
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
