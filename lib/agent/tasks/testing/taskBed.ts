import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import { packArchive } from "../../../archives/pack";
import { archivedVm } from "../../../archives/testing/tar";
import { makeRepository } from "../../../backups/repository";
import { keepCopy } from "../../../backups/store";
import type { RepositoryAccess } from "../../../domain/backup";
import type { TaskState } from "../../../domain/task";
import type { VmDescription } from "../../../domain/vmDescription";
import { pathsOf } from "../../../env";
import { diskFile } from "../../../hypervisor/diskRecord";
import type { Hypervisor } from "../../../hypervisor/hypervisor";
import { machinePaths } from "../../../hypervisor/machinePaths";
import { TestHost } from "../../../hypervisor/testing/testHost";
import { until } from "../../../hypervisor/testing/until";
import { imageFile } from "../../../images/store";
import { testAppliance } from "../../../images/testing/appliance";
import { projectDir } from "../../../paths";
import { UploadDesk } from "../../uploads";
import { taskKinds } from "../kinds";
import { TaskRunner } from "../runner";
import type { CrashingTask } from "./crashingTask";

const script = join(projectDir, "lib", "agent", "tasks", "testing", "crashingTask.ts");
const report = { progress() {}, log() {} };
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const { signal } = new AbortController();

type Folder = "images" | "staging" | "layers" | "tasks" | "exports";

/** A host with VM 1, which is off and has the snapshot 1, VM 2 with UEFI, and a repository with a copy of the snapshot, for agents that die at their tasks. */
export class TaskBed {
  private lastId = 10;

  private constructor(
    readonly host: TestHost,
    readonly access: RepositoryAccess,
  ) {}

  static async make(): Promise<TaskBed> {
    const host = await TestHost.make();
    const { settings } = host;
    await mkdir(testAppliance, { recursive: true });
    await symlink(testAppliance, pathsOf(settings).appliance);
    const agent = await host.agent();
    await agent.ensure(await host.spec(1));
    await agent.ensure(await host.spec(2, { firmware: "uefi" }));
    // What is made of their disks are other images than the one that they started from.
    for (const [id, pattern] of [
      [1, "0x11"],
      [2, "0x22"],
    ] as const) {
      const disk = await diskFile(machinePaths(settings, id));
      await execa("qemu-io", ["-f", "qcow2", "-c", `write -P ${pattern} 40M 64k`, disk]);
    }
    await agent.takeSnapshot(1, { snapshotId: 1, operationId: 1, memory: false, freeze: false }, report, signal);
    const path = join(settings.dataDir, "repository");
    await mkdir(path);
    const access: RepositoryAccess = { place: { kind: "folder", path }, password: "correct horse" };
    await makeRepository(access);
    // A folder with the snapshot's disk, as a backup has it.
    const exported = join(settings.dataDir, "exported");
    await mkdir(exported);
    await agent.exportDisk({ snapshotId: 1 }, { disk: join(exported, "disk.qcow2") }, report, signal);
    await keepCopy(access, exported, backedUpVm, report, signal);
    await agent.close();
    return new TaskBed(host, access);
  }

  /** An archive of VM 2, which lies outside of what the agent looks after. */
  async archive(): Promise<string> {
    const { dataDir } = this.host.settings;
    const files = { disk: join(dataDir, "packed.qcow2"), uefiVars: join(dataDir, "packed.fd") };
    const agent = await this.host.agent();
    await agent.exportDisk({ vmId: 2 }, files, report, signal);
    await agent.close();
    const archive = join(dataDir, "packed.tar");
    const packed = { disk: files.disk, variables: files.uefiVars };
    await packArchive(archive, { ...backedUpVm, firmware: "uefi" }, packed, () => {}, signal);
    return archive;
  }

  newId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  /** Runs a task in an agent of its own, which lives until it dies at the task's failpoint or is killed. */
  start(ask: Omit<CrashingTask, "settings">, settings = this.host.settings) {
    const crashing: CrashingTask = { ...ask, settings };
    return execa(process.execPath, ["--import", "tsx", script, JSON.stringify(crashing)], {
      cwd: projectDir,
      env: ask.failpoint === null ? {} : { CUMULUS_FAILPOINT_FILE: join(settings.dataDir, "failpoint") },
      reject: false,
      timeout: 300_000,
    });
  }

  /** The agent after it, with its tasks taken up again, for as long as something is done with it. */
  async withNextAgent(
    act: (tasks: TaskRunner, agent: Hypervisor) => Promise<void>,
    settings = this.host.settings,
  ): Promise<void> {
    const hypervisor = await this.host.agent();
    const uploads = new UploadDesk(1_000);
    const tasks = new TaskRunner({ settings, hypervisor, log: silent, kinds: taskKinds, uploads });
    await tasks.recover();
    try {
      await act(tasks, hypervisor);
    } finally {
      await tasks.close();
      await hypervisor.close();
    }
  }

  /** What is there is whole, and nothing else is. */
  async expectWhole(agent: Hypervisor): Promise<void> {
    const images = await agent.listImages();
    const files = images.flatMap(({ sha256, name, variablesSha256 }) => [
      `${sha256}.${name}.json`,
      `${sha256}.qcow2`,
      ...(variablesSha256 === null ? [] : [`${variablesSha256}.vars`]),
    ]);
    expect(await this.namesIn("images")).toEqual([...new Set(files)].sort());
    for (const { sha256 } of images) {
      const content = await readFile(imageFile(pathsOf(this.host.settings), sha256));
      expect(createHash("sha256").update(content).digest("hex")).toBe(sha256);
    }
    expect(await this.namesIn("staging")).toEqual([]);
    const isLayer = (name: string) => /^[0-9a-f]{16}\.(qcow2|json)$/.test(name);
    // A disk that was read grows together with its layer again, in the background.
    await until(async () => (await this.namesIn("layers")).every(isLayer));
    expect((await this.namesIn("tasks")).filter((name) => !/^\d+\.(json|log)$/.test(name))).toEqual([]);
  }

  async namesIn(folder: Folder): Promise<string[]> {
    return (await readdir(pathsOf(this.host.settings)[folder]).catch(() => [])).sort();
  }

  /** Of a recipe with one step on the test guest's image. */
  recipe(place: string, step: object): unknown {
    return {
      base: { sha256: this.host.imageSha256, name: "test-guest" },
      recipe: { name: "r", title: "R", place, steps: [step] },
    };
  }
}

/** What a copy says of the VM that it is of. */
export const backedUpVm: VmDescription = {
  ...archivedVm,
  ...{
    memoryBytes: 2 ** 26,
    diskBytes: 2 ** 26,
    imageTitle: "Test guest",
    loginUser: "nobody",
    minMemoryBytes: 2 ** 24,
  },
};

/** Waits for a task's end. */
export async function ended(tasks: TaskRunner, id: number): Promise<TaskState> {
  let state = await tasks.get(id);
  while (state.status === "running") state = await tasks.get(id, state.version, 5_000);
  return state;
}
