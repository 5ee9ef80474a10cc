import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { CumulusError } from "../domain/errors";
import type { MachineSpec, Observation } from "../domain/machine";
import type { SnapshotFile, SnapshotFolder } from "../domain/snapshotFile";
import { type SnapshotCost, type SnapshotManifest, snapshotManifestSchema } from "../domain/snapshotManifest";
import type { TaskReport } from "../domain/task";
import { MIB } from "../domain/units";
import { type FakeMachine, now } from "./fakeMachine";
import type { ExportTarget, TakeSnapshotAsk } from "./hypervisor";
import { findFirmware } from "./qemu/firmware";
import { onceBytes } from "./snapshots/memoryBytes";
import { runTool } from "./tools";

const diskBytes = 8 * MIB;
const workSteps = 4;
const files: Record<string, string> = { hostname: "fake\n", motd: "Nothing is in here.\n" };

/** The snapshots of the fake hypervisor: manifests and nothing else. */
export class FakeSnapshots {
  private readonly manifests = new Map<number, SnapshotManifest>();
  /** How far the guests had come whose memory was kept. */
  private readonly milestones = new Map<number, Observation["milestones"]>();

  /**
   * @param stepMs the time between two steps of work
   * @param stateFile where they are kept, if at all
   */
  constructor(
    private readonly stepMs: number,
    private readonly stateFile: string | undefined,
  ) {
    if (stateFile === undefined || !existsSync(stateFile)) return;
    const saved = z.array(snapshotManifestSchema).parse(JSON.parse(readFileSync(stateFile, "utf8")));
    for (const manifest of saved) this.manifests.set(manifest.id, manifest);
  }

  list(): SnapshotManifest[] {
    return structuredClone([...this.manifests.values()].sort((a, b) => a.id - b.id));
  }

  find(id: number): SnapshotManifest {
    const manifest = this.manifests.get(id);
    if (manifest) return manifest;
    throw new CumulusError("not_found", `There is no snapshot ${id} on this host.`);
  }

  isOnImage(sha256: string): boolean {
    return [...this.manifests.values()].some(({ machine }) => machine.imageSha256 === sha256);
  }

  async take(
    { spec, observation, endedCleanly, snapshotId: parentId }: FakeMachine,
    { snapshotId, memory, freeze }: TakeSnapshotAsk,
    report: TaskReport,
    signal: AbortSignal,
  ): Promise<SnapshotManifest> {
    const present = this.manifests.get(snapshotId);
    if (present) return structuredClone(present);
    const isOn = observation.pid !== null;
    const isAtRest = isOn ? freeze && observation.milestones.ssh !== undefined : endedCleanly;
    await this.work(memory ? "Writing the memory." : "Taking the snapshot.", report, signal);
    const manifest: SnapshotManifest = {
      id: snapshotId,
      vmId: spec.id,
      createdAt: now(),
      hasMemory: memory,
      hasGuestAgent: memory ? observation.milestones.ssh !== undefined : null,
      consistency: memory ? "memory" : isAtRest ? "filesystem" : "crash",
      pauseMs: observation.state === "running" ? 1.5 : 0,
      diskBytes,
      foldedBytes: 0,
      memoryBytes: memory ? spec.memoryBytes : 0,
      virtualBytes: spec.disk.sizeBytes,
      machine: machineOf(spec),
      parentId,
    };
    this.manifests.set(snapshotId, manifest);
    if (memory) this.milestones.set(snapshotId, observation.milestones);
    this.save();
    return structuredClone(manifest);
  }

  /** How far a guest had come, where that is still known. */
  milestonesOf(id: number): Observation["milestones"] | undefined {
    return this.milestones.get(id);
  }

  remove(id: number): void {
    this.manifests.delete(id);
    this.save();
  }

  costOf({ spec, observation }: FakeMachine): SnapshotCost {
    const own = this.list().filter(({ vmId }) => vmId === spec.id);
    const keptBytes = own.reduce((sum, kept) => sum + kept.diskBytes + kept.memoryBytes, 0);
    return { diskBytes, memoryBytes: observation.pid === null ? 0 : onceBytes(spec), keptBytes };
  }

  /** Writes an empty disk, and the variables that a new VM has: the fake has none of its own. */
  async export(
    { virtualBytes, arch, firmware }: Pick<SnapshotManifest["machine"], "arch" | "firmware"> & { virtualBytes: number },
    target: ExportTarget,
    report: TaskReport,
    signal: AbortSignal,
  ): Promise<{ hasUefiVars: boolean }> {
    await this.work("Writing the disk.", report, signal);
    const uefi = await findFirmware(arch, firmware);
    if (uefi && target.uefiVars !== undefined) await copyFile(uefi.varsTemplate, target.uefiVars);
    await runTool("qemu-img", ["create", "-q", "-f", "qcow2", target.disk, String(virtualBytes)]);
    return { hasUefiVars: uefi !== null };
  }

  /** Every snapshot of the fake has the same files. */
  listFiles(id: number, path: string): SnapshotFolder {
    const { createdAt: modifiedAt } = this.find(id);
    const entry = (values: Pick<SnapshotFile, "name" | "type"> & Partial<SnapshotFile>): SnapshotFile => {
      return { sizeBytes: 4096, permissions: "0755", modifiedAt, isOpenable: true, link: null, ...values };
    };
    const content: Record<string, SnapshotFile[]> = {
      "/": [
        entry({ name: "config", type: "link", link: { target: "etc", leadsTo: "folder" } }),
        entry({ name: "etc", type: "folder" }),
        entry({ name: "caf\ufffd", type: "file", isOpenable: false }),
      ],
      "/etc": Object.entries(files).map(([name, text]) =>
        entry({ name, type: "file", sizeBytes: text.length, permissions: "0644" }),
      ),
    };
    const found = content[path.replace(/^\/config(?=\/|$)/, "/etc")];
    if (!found) throw new CumulusError("not_found", `The disk doesn't have it: ${path}`);
    return { files: found, totalCount: found.length };
  }

  readFile(id: number, path: string): Readable {
    this.find(id);
    const content = files[/^\/(?:etc|config)\/(.*)$/.exec(path)?.[1] ?? ""];
    if (content !== undefined) return Readable.from([Buffer.from(content)]);
    if (!["/", "/etc", "/config"].includes(path)) {
      throw new CumulusError("not_found", `The disk doesn't have it: ${path}`);
    }
    throw new CumulusError("bad_request", `${path} is no file: only plain files can be downloaded.`);
  }

  /** Takes some time, with progress. */
  async work(message: string, report: TaskReport, signal: AbortSignal): Promise<void> {
    for (let step = 0; step < workSteps; step++) {
      signal.throwIfAborted();
      report.progress((100 * step) / workSteps, message);
      await delay(this.stepMs, undefined, { signal });
    }
  }

  private save(): void {
    if (this.stateFile === undefined) return;
    writeFileSync(`${this.stateFile}.new`, JSON.stringify(this.list()), { mode: 0o600 });
    renameSync(`${this.stateFile}.new`, this.stateFile);
  }
}

export function assertOwn({ spec }: FakeMachine, snapshot: SnapshotManifest): SnapshotManifest {
  if (snapshot.vmId === spec.id) return snapshot;
  throw new CumulusError("bad_request", `Snapshot ${snapshot.id} is not one of VM ${spec.id}.`);
}

export function assertTakable({ observation }: FakeMachine, { memory }: TakeSnapshotAsk): void {
  const allowed: Observation["state"][] = ["running", "paused"];
  if (!memory || allowed.includes(observation.state)) return;
  throw new CumulusError("wrong_state", "A VM that is off has no memory to keep: take a snapshot of its disk alone.", {
    allowed,
  });
}

function machineOf({ vcpus, memoryBytes, arch, firmware, disk }: MachineSpec): SnapshotManifest["machine"] {
  return { vcpus, memoryBytes, arch, firmware, imageSha256: disk.imageSha256 };
}
