import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import type { TaskReport } from "../../domain/task";
import { MIB } from "../../domain/units";
import { pathsOf } from "../../env";
import { diskFile, readDiskRecord } from "../diskRecord";
import type { DiskSource, Hypervisor } from "../hypervisor";
import { machinePaths } from "../machinePaths";
import { receiverPids } from "./receiverPids";
import { type TestHost, untilSeen } from "./testHost";
import { until } from "./until";

const report = { progress: () => {}, log: () => {} };
const { signal } = new AbortController();
const offset = 40 * MIB;

/** What each snapshot's disk holds at one place, and the VM's own. */
export const patterns: Record<number, string> = { 1: "0x11", 2: "0x22", 3: "0x33" };
export const present = "0x44";

/** A VM with three snapshots of its disk; each holds something else. */
export class SnapshotBed {
  constructor(
    private readonly host: TestHost,
    /** The present one: tests that end an agent put the next one here. */
    public agent: Hypervisor,
  ) {}

  async makeVm(): Promise<void> {
    await this.agent.ensure(await this.host.spec(1));
    for (const [id, pattern] of Object.entries(patterns)) {
      await this.write(pattern);
      await this.take(Number(id));
    }
    await this.write(present);
  }

  take(snapshotId: number, memory = false, told: TaskReport = report) {
    return this.agent.takeSnapshot(1, { snapshotId, operationId: 1, memory, freeze: false }, told, signal);
  }

  /** Of a VM to be made from the second snapshot. */
  cloneSpec() {
    const { imageSha256 } = this.host;
    return this.host.spec(2, { disk: { imageSha256, sizeBytes: 64 * MIB, snapshotId: 2 } });
  }

  async start(): Promise<void> {
    await this.agent.start(1);
    await untilSeen(this.agent, 1, (seen) => seen.milestones["first-boot"] !== undefined);
  }

  async untilEchoes(id: number): Promise<void> {
    const shown: string[] = [];
    const stream = await this.agent.openSerial(id);
    stream.on("data", (chunk: Buffer) => shown.push(chunk.toString()));
    stream.write("hi");
    await until(() => shown.join("").includes("hi"));
    stream.destroy();
  }

  /** Which of the patterns a VM or a snapshot holds. */
  async patternOf(source: DiskSource): Promise<string> {
    const target = join(pathsOf(this.host.settings).staging, "read.qcow2");
    await this.agent.exportDisk(source, { disk: target }, report, signal);
    try {
      for (const pattern of [...Object.values(patterns), present]) if (await holds(target, pattern)) return pattern;
      return "none";
    } finally {
      rmSync(target);
    }
  }

  /** The layers under the VM's disk, the top first. */
  async diskChain(): Promise<string[]> {
    const { settings } = this.host;
    const { parent } = await readDiskRecord(machinePaths(settings, 1));
    const chain: string[] = [];
    for (let id = parent; id !== null; ) {
      chain.push(id);
      id = JSON.parse(readFileSync(join(pathsOf(settings).layers, `${id}.json`), "utf8")).parent;
    }
    return chain;
  }

  /** All snapshots are whole, and hold what they held. */
  async expectWholeSnapshots(): Promise<void> {
    const { layers, snapshots } = pathsOf(this.host.settings);
    for (const { id, hasMemory } of await this.agent.listSnapshots()) {
      const folder = join(snapshots, String(id));
      expect(readdirSync(folder).includes("memory.state")).toBe(hasMemory);
      const { layerId } = JSON.parse(readFileSync(join(folder, "snapshot.json"), "utf8"));
      // A layer below may go in the moment in which it is opened.
      const pattern = patterns[id];
      if (pattern !== undefined) await until(() => holds(join(layers, `${layerId}.qcow2`), pattern));
    }
    for (const name of readdirSync(layers).filter((name) => /^[0-9a-f]{16}\.qcow2$/.test(name))) {
      // Layers that nothing names may go meanwhile, and one that others are merged into is written while it is read.
      await expect.poll(async () => (readdirSync(layers).includes(name) ? faultsOf(join(layers, name)) : "")).toBe("");
    }
  }

  /** The VM, which is off, has a whole disk. */
  async expectWholeDisk(): Promise<void> {
    // What is left below it may be merged into a new file meanwhile.
    const file = () => diskFile(machinePaths(this.host.settings, 1));
    await expect.poll(async () => faultsOf(await file())).toBe("");
  }

  /** Without VMs and snapshots there is nothing left on the disk, and nothing runs. */
  async expectNothingLeft(): Promise<void> {
    const { settings } = this.host;
    const paths = pathsOf(settings);
    for (const { id } of await this.agent.observeAll()) await this.agent.remove(id);
    for (const { id } of await this.agent.listSnapshots()) await this.agent.removeSnapshot(id);
    await until(() => readdirSync(paths.layers).length === 0);
    // What was being written, and processes that were ended by force, may take a moment to be gone.
    for (const folder of [paths.snapshots, paths.machines, paths.machineSockets, paths.staging]) {
      await expect.poll(() => readdirSync(folder)).toEqual([]);
    }
    await expect.poll(() => readdirSync(settings.runDir)).toEqual(["vms"]);
    await expect.poll(() => this.host.qemuPids()).toEqual([]);
    await expect.poll(() => receiverPids(settings)).toEqual([]);
  }

  /** Has the VM's disk hold something else; the VM is off. */
  async write(pattern: string, at = offset): Promise<void> {
    const disk = await diskFile(machinePaths(this.host.settings, 1));
    await execa("qemu-io", ["-f", "qcow2", "-c", `write -P ${pattern} ${at} 128k`, disk]);
  }

  /** Whether the VM's disk, as it is on the host, holds something. */
  async holds(pattern: string, at = offset): Promise<boolean> {
    return holds(await diskFile(machinePaths(this.host.settings, 1)), pattern, at);
  }
}

/** What qemu-img finds wrong with a file; empty: nothing. */
async function faultsOf(file: string): Promise<string> {
  const check = ["check", "-q", "--force-share", "-f", "qcow2", file];
  const { failed, shortMessage, stderr } = await execa("qemu-img", check, { reject: false });
  return failed ? `${shortMessage}\n${stderr}` : "";
}

async function holds(file: string, pattern: string, at = offset): Promise<boolean> {
  const read = ["--force-share", "-r", "-f", "qcow2", "-c", `read -P ${pattern} ${at} 128k`, file];
  return !(await execa("qemu-io", read, { reject: false })).failed;
}
