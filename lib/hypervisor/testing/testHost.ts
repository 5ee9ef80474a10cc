import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { MachineSpec, Observation } from "../../domain/machine";
import { MIB } from "../../domain/units";
import { pathsOf, type Settings } from "../../env";
import { installImage } from "../../images/store";
import { isErrno } from "../../system/files";
import type { Log } from "../../system/log";
import { commandLineOf } from "../../system/platform";
import { freePort } from "../../system/testing/freePort";
import type { Hypervisor } from "../hypervisor";
import { createQemuHypervisor, type QemuHypervisorOptions } from "../qemuHypervisor";
import { testGuestSector } from "./testGuest";
import { until } from "./until";

/** An installation of its own for one test file, with the test guest as an image, and nothing left of it afterwards. */
export class TestHost {
  private readonly hypervisors: Hypervisor[] = [];
  readonly messages: { level: string; fields: object; message: string }[] = [];

  private constructor(
    private readonly folder: string,
    readonly settings: Settings,
    readonly imageSha256: string,
    private readonly hasMount: boolean,
  ) {}

  /** @param dataMiB size of a file system of its own for the data folder, to fill it up; null: it lies on the machine's */
  static async make(dataMiB: number | null = null): Promise<TestHost> {
    const folder = await mkdtemp(join(tmpdir(), "cumulus-"));
    const settings: Settings = {
      port: 1,
      host: "127.0.0.1",
      dataDir: join(folder, "data"),
      runDir: join(folder, "run"),
      databaseUrl: undefined,
      accelerator: "tcg",
      network: "user",
      isLab: false,
      stopsVms: false,
      allowedHosts: [],
      imageMirror: null,
      imageHosts: [],
    };
    await execa("chmod", ["711", folder]);
    if (dataMiB !== null) {
      await mkdir(settings.dataDir);
      await execa("mount", ["-t", "tmpfs", "-o", `size=${dataMiB}m,mode=0711`, "tmpfs", settings.dataDir]);
    }
    const raw = join(folder, "guest.raw");
    const qcow2 = join(folder, "guest.qcow2");
    await writeFile(raw, testGuestSector);
    await execa("truncate", ["-s", String(64 * MIB), raw]);
    await execa("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, qcow2]);
    await rm(raw);
    const image = await installImage(pathsOf(settings), qcow2, {
      name: "test-guest",
      title: "Test guest",
      description: "A boot sector",
      arch: "x86_64",
      firmware: "bios",
      minMemoryBytes: 16 * MIB,
      loginUser: "nobody",
      recipeHash: null,
    });
    return new TestHost(folder, settings, image.sha256, dataMiB !== null);
  }

  /** A hypervisor that has taken up what runs. */
  async agent(options: Pick<QemuHypervisorOptions, "copiesMemoryAboveBytes"> = {}): Promise<Hypervisor> {
    const hypervisor = createQemuHypervisor({ settings: this.settings, log: this.log(), ...options });
    this.hypervisors.push(hypervisor);
    await hypervisor.recover();
    return hypervisor;
  }

  async spec(id: number, changes: Partial<MachineSpec> = {}): Promise<MachineSpec> {
    return {
      id,
      uuid: randomUUID(),
      arch: "x86_64",
      firmware: "bios",
      vcpus: 1,
      memoryBytes: 32 * MIB,
      disk: { imageSha256: this.imageSha256, sizeBytes: 64 * MIB },
      cdrom: null,
      bootFrom: "disk",
      interfaces: [
        {
          id: "net0",
          mac: `52:54:00:00:00:${id.toString(16).padStart(2, "0")}`,
          driver: "user",
          cidr: "192.168.0.0/24",
          gateway: "192.168.0.1",
          dns: "192.168.0.254",
          ipv4: `192.168.0.${id + 1}`,
          sshHostPort: await freePort(),
        },
      ],
      seed: {
        metaData: { "instance-id": randomUUID(), "local-hostname": `vm${id}` },
        userData: { cloudConfig: { hostname: `vm${id}` } },
        networkConfig: { version: 2 },
      },
      ...changes,
    };
  }

  /** Ends all QEMUs of this installation, by their pids, and removes its folders. */
  async close(): Promise<void> {
    for (const hypervisor of this.hypervisors) await hypervisor.close();
    for (const pid of await this.qemuPids()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch (error) {
        // It has ended since it was found.
        if (!isErrno(error, "ESRCH")) throw error;
      }
      await until(async () => !(await commandLineOf(pid)));
    }
    if (this.hasMount) await execa("umount", ["--lazy", this.settings.dataDir]);
    // What a process had under way when it was ended may still bring an entry.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Pids of QEMUs whose sockets lie in this installation. */
  async qemuPids(): Promise<number[]> {
    const pids = (await readdir("/proc")).map(Number).filter((pid) => pid > 0);
    const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
    return pids.filter(
      (_, index) => lines[index]?.includes("qemu-system-") && lines[index].includes(this.settings.runDir),
    );
  }

  private log(): Log {
    const at = (level: string) => (fields: object, message: string) => {
      this.messages.push({ level, fields, message });
    };
    return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  }
}

export function untilSeen(
  hypervisor: Hypervisor,
  id: number,
  isIt: (observation: Observation) => boolean,
  timeoutMs?: number,
): Promise<Observation> {
  return until(async () => {
    const observation = await hypervisor.observe(id);
    return isIt(observation) ? observation : null;
  }, timeoutMs);
}
