import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { timelineSteps } from "../domain/timeline";
import { GIB } from "../domain/units";
import { createFakeHypervisor, type FakeOptions } from "./fake";
import { fakeSpec } from "./fakeHost";

function makeFake(options: FakeOptions = {}) {
  const fake = createFakeHypervisor({ stepMs: 5, shutdownMs: 5, ...options });
  onTestFinished(() => fake.close());
  return fake;
}

describe("the fake hypervisor", () => {
  test("takes a VM through the milestones in their order", async () => {
    const fake = makeFake();
    const steps: string[] = [];
    fake.watch(({ milestones }) => steps.push(Object.keys(milestones).at(-1) ?? ""));
    await fake.ensure(fakeSpec(1));
    await fake.start(1);
    await expect.poll(() => steps).toEqual(timelineSteps.slice(2));
    const { milestones } = await fake.observe(1);
    const times = Object.values(milestones).map((at) => Date.parse(at));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test.each(["reboot", "reset"] as const)("does a %s once for an operation, and boots anew", async (act) => {
    const fake = makeFake();
    await fake.ensure(fakeSpec(1));
    await fake.start(1);
    const ask = (operationId: number) => fake[act](1, operationId, 1_000);
    await ask(7);
    await expect.poll(async () => (await fake.observe(1)).bootCount).toBe(2);
    expect(Object.keys((await fake.observe(1)).milestones).slice(0, 2)).toEqual(["disk", "started"]);
    await ask(7);
    expect(await fake.observe(1)).toMatchObject({ bootCount: 2, pendingAct: null });
    await ask(8);
    await expect.poll(async () => (await fake.observe(1)).bootCount).toBe(3);
  });

  test("tells a requested stop, a guest's power-off and a crash apart, and starts again after each", async () => {
    const fake = makeFake();
    await fake.ensure(fakeSpec(1));
    const ends = [
      { act: () => fake.stop(1), seen: { state: "stopped", stoppedBy: "request" } },
      { act: () => fake.shutdown(1), seen: { state: "stopped", stoppedBy: "request" } },
      { act: async () => fake.powerOff(1), seen: { state: "stopped", stoppedBy: "guest" } },
      { act: async () => fake.crash(1), seen: { state: "crashed", stoppedBy: null } },
    ];
    for (const { act, seen } of ends) {
      expect(await fake.start(1)).toMatchObject({ state: "running", stoppedBy: null, reason: null });
      await act();
      await expect.poll(() => fake.observe(1)).toMatchObject({ ...seen, pid: null, pendingAct: null });
    }
  });

  test("diagnoses a VM that is off or paused in the words of the real hypervisor", async () => {
    const fake = makeFake();
    await fake.ensure(fakeSpec(1));
    const firstCheck = async () => (await fake.diagnose(1, "net0", 22))[0];
    const failed = { name: "running", outcome: "failed" };
    expect(await firstCheck()).toEqual({ ...failed, message: "The VM doesn't run.", fix: "Start the VM." });
    await fake.start(1);
    expect(await firstCheck()).toMatchObject({ name: "running", outcome: "ok" });
    await fake.pause(1);
    expect(await fake.diagnose(1, "net0", 22)).toEqual([
      { ...failed, message: "The VM is paused.", fix: "Resume it." },
    ]);
    await fake.resume(1);
    expect(await firstCheck()).toMatchObject({ name: "running", outcome: "ok" });
    expect((await fake.diagnose(1, "net1", 22)).at(-1)).toMatchObject({ name: "interface", outcome: "failed" });
  });

  test("refuses a host port that another running VM has, and grows disks only while stopped", async () => {
    const fake = makeFake();
    await fake.ensure(fakeSpec(1));
    await fake.ensure(fakeSpec(2, { interfaces: fakeSpec(1).interfaces }));
    await fake.start(1);
    await expect(fake.start(2)).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining("20001") });
    const larger = fakeSpec(1, { disk: { ...fakeSpec(1).disk, sizeBytes: 4 * GIB } });
    await expect(fake.ensure(larger)).rejects.toMatchObject({ code: "wrong_state" });
    await fake.stop(1);
    await expect(fake.ensure(larger)).resolves.toMatchObject({ state: "stopped" });
    await expect(fake.start(2)).resolves.toMatchObject({ state: "running" });
  });

  test("keeps its machines in the state file, running ones with pid, boots and what they were about to do", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fake-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const stateFile = join(folder, "vms.json");
    const first = makeFake({ stateFile, stepMs: 60_000, shutdownMs: 60_000 });
    for (const id of [1, 2, 3]) {
      await first.ensure(fakeSpec(id));
      await first.start(id);
    }
    await first.shutdown(2);
    await first.reboot(3, 7, 1_000);
    const running = await first.observe(1);
    await first.close();

    const second = makeFake({ stateFile });
    await second.recover();
    expect(await second.observe(1)).toEqual({ ...running, observedAt: expect.any(String) });
    await expect.poll(async () => (await second.observe(1)).milestones.ssh).toBeDefined();
    await expect.poll(() => second.observe(2)).toMatchObject({ state: "stopped" });
    await expect.poll(() => second.observe(3)).toMatchObject({ state: "running", bootCount: 2 });
  });

  test("shows a screen that is a PNG and changes with what is typed; the last one stays after a stop", async () => {
    const fake = makeFake();
    await fake.ensure(fakeSpec(1));
    await fake.start(1);
    await expect.poll(async () => (await fake.observe(1)).milestones.ssh).toBeDefined();
    const before = await fake.screenshot(1);
    await fake.typeText(1, "root", new AbortController().signal);
    const after = await fake.screenshot(1);
    const pixels = decodePng(after);
    expect(pixels.length).toBe(640 * 480);
    expect(new Set(pixels).size).toBe(2);
    expect(decodePng(before)).not.toEqual(pixels);
    await fake.stop(1);
    expect(await fake.lastScreenshot(1)).toEqual(after);
  });

  test("stops typing when asked to", async () => {
    const fake = makeFake({ keyMs: 20 });
    await fake.ensure(fakeSpec(1));
    await fake.start(1);
    const abort = new AbortController();
    const typed = fake.typeText(1, "x".repeat(1_000), abort.signal);
    let count = 0;
    const serial = await fake.openSerial(1);
    serial.on("data", (data: Buffer) => {
      count += data.toString().split("x").length - 1;
      if (count > 0) abort.abort();
    });
    await typed;
    expect(count).toBeLessThan(10);
  });

  test("shows its screen over RFB 3.8, again when it changes, and takes keys", async () => {
    const fake = makeFake();
    await fake.ensure(fakeSpec(1));
    await fake.start(1);
    await expect.poll(async () => (await fake.observe(1)).milestones.ssh).toBeDefined();
    const vnc = await fake.openVnc(1);
    const read = async (byteCount: number): Promise<Buffer> => {
      for (;;) {
        const data: Buffer | null = vnc.read(byteCount);
        if (data) return data;
        await new Promise((resolve) => vnc.once("readable", resolve));
      }
    };
    const readUpdate = async () => {
      const head = await read(16);
      expect([...head.subarray(0, 4), ...head.subarray(8)]).toEqual([0, 0, 0, 1, 2, 128, 1, 224, 0, 0, 0, 0]);
      return read(640 * 480 * 4);
    };
    const askUpdate = (isIncremental: number) => vnc.write(Buffer.from([3, isIncremental, 0, 0, 0, 0, 2, 128, 1, 224]));

    expect((await read(12)).toString()).toBe("RFB 003.008\n");
    // In two pieces: a message need not come whole.
    vnc.write("RFB 003");
    vnc.write(".008\n");
    expect([...(await read(2))]).toEqual([1, 1]);
    vnc.write(Buffer.from([1]));
    expect([...(await read(4))]).toEqual([0, 0, 0, 0]);
    vnc.write(Buffer.from([1]));
    const serverInit = await read(28);
    expect([serverInit.readUInt16BE(0), serverInit.readUInt16BE(2), serverInit[4]]).toEqual([640, 480, 32]);
    vnc.write(Buffer.concat([Buffer.alloc(20), Buffer.from([2, 0, 0, 1, 0, 0, 0, 0])]));
    askUpdate(0);
    const first = await readUpdate();
    expect(new Set(first).size).toBeGreaterThan(1);
    askUpdate(1);
    vnc.write(Buffer.from([4, 1, 0, 0, 0, 0, 0, 0x61]));
    expect(await readUpdate()).not.toEqual(first);
    await fake.stop(1);
    await expect.poll(() => vnc.destroyed || vnc.resume().destroyed).toBe(true);
  });

  test("takes, lists, restores and removes snapshots, each once", async () => {
    const fake = makeFake({ stepMs: 1 });
    const report = { progress: () => {}, log: () => {} };
    const { signal } = new AbortController();
    const take = (snapshotId: number, memory: boolean) =>
      fake.takeSnapshot(1, { snapshotId, operationId: snapshotId, memory, freeze: true }, report, signal);
    await fake.ensure(fakeSpec(1));
    await expect(take(1, true)).rejects.toMatchObject({ code: "wrong_state" });
    const first = await take(1, false);
    expect(first, "never on").toMatchObject({ consistency: "filesystem" });
    expect(await take(1, false)).toEqual(first);
    await fake.start(1);
    expect(await take(2, true)).toMatchObject({ hasMemory: true, parentId: 1 });
    await fake.stop(1);
    expect(await fake.restoreSnapshot(1, { snapshotId: 1, operationId: 8 }, report, signal)).toMatchObject({
      state: "stopped",
    });
    const ask = { snapshotId: 2, operationId: 9 };
    expect(await fake.restoreSnapshot(1, ask, report, signal)).toMatchObject({ state: "running" });
    await fake.stop(1);
    expect(await fake.restoreSnapshot(1, ask, report, signal)).toMatchObject({ state: "stopped" });
    await fake.removeSnapshot(1);
    await fake.removeSnapshot(1);
    expect((await fake.listSnapshots()).map(({ id }) => id)).toEqual([2]);
    expect(await take(3, false), "turned off by force").toMatchObject({ consistency: "crash" });
    await fake.start(1);
    await fake.shutdown(1);
    await expect.poll(async () => (await fake.observe(1)).state).toBe("stopped");
    expect(await take(4, false), "it turned itself off").toMatchObject({ consistency: "filesystem" });
    const late = fakeSpec(2);
    const gone = { ...late, disk: { ...late.disk, snapshotId: 1 } };
    await expect(fake.ensure(gone)).rejects.toMatchObject({ code: "not_found" });
  });
});

/** The grey values of a PNG as encodePng writes it. */
function decodePng(png: Buffer): Buffer {
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const at = png.indexOf("IDAT");
  const lines = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)));
  return Buffer.concat(
    Array.from({ length: height }, (_, y) => lines.subarray(y * (width + 1) + 1, (y + 1) * (width + 1))),
  );
}
