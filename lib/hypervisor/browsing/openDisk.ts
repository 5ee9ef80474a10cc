import { chown, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { CumulusError } from "../../domain/errors";
import type { SnapshotFile } from "../../domain/snapshotFile";
import { pathsOf } from "../../env";
import { fixedAppliance, guestfsUserEnvironment } from "../../images/recipes/fixedAppliance";
import type { MachineUser } from "../../system/machineUsers";
import type { HostContext } from "../context";
import { StorageDaemon } from "../layers/storageDaemon";
import { Guestfish } from "./guestfish";
import { parseFilesystems, parseMountpoints, parseStats, quoted } from "./words";

const openMs = 240_000;
const commandMs = 60_000;
/** Names asked about at once: a command line has an end. */
const namesAtOnce = 500;
const maxEntries = 10_000;
/** The largest file that is taken out. */
const maxFileBytes = 8 * 1024 ** 3;

const quiet = { progress() {}, log() {} };

/** A disk whose files can be looked at, until it is closed. Its commands are carried out one after the other. */
export class OpenDisk {
  private queue: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly daemon: StorageDaemon,
    private readonly fish: Guestfish,
    private readonly scratch: string,
  ) {}

  /**
   * @param node the disk, read-only, as QEMU's -blockdev
   * @throws CumulusError `unavailable` when a tool is missing, or no file system of the disk can be read
   */
  static async open(context: HostContext, node: object, user: MachineUser | null): Promise<OpenDisk> {
    const { settings } = context;
    const scratch = await mkdtemp(join(pathsOf(settings).staging, "browse-"));
    const signal = AbortSignal.timeout(openMs);
    const isEmulated = (await context.accelerator()).kind !== "kvm";
    let daemon: StorageDaemon | undefined;
    let fish: Guestfish | undefined;
    try {
      const appliance = await fixedAppliance(pathsOf(settings).appliance, {
        isEmulated,
        scratch,
        report: quiet,
        signal,
      });
      daemon = await StorageDaemon.start(settings, `browse-${scratch.slice(-6)}`, node, user);
      const socket = await offer(daemon, node);
      const own = join(settings.runDir, `guestfish-${scratch.slice(-6)}`);
      await mkdir(own, { mode: 0o700 });
      if (user !== null) await chown(own, user.uid, user.gid);
      fish = Guestfish.start(socket, guestfsUserEnvironment(appliance, own, isEmulated), user);
      const disk = new OpenDisk(daemon, fish, own);
      await disk.mount();
      await rm(scratch, { recursive: true, force: true });
      return disk;
    } catch (error) {
      await fish?.close();
      await daemon?.close();
      await rm(scratch, { recursive: true, force: true });
      throw error;
    }
  }

  /** Entries of a folder, by name; at most 10,000. @throws CumulusError `not_found` */
  list(path: string): Promise<SnapshotFile[]> {
    return this.inTurn(async () => {
      const file = join(this.scratch, "names");
      await this.fish.run(`ls0 ${quoted(path)} ${quoted(file)}`, commandMs);
      const names = split(await readFile(file)).slice(0, maxEntries);
      const entries: SnapshotFile[] = [];
      // guestfish takes a list as one word that it splits at spaces: names with anything odd in them are asked about one by one.
      const isPlain = (name: Buffer) => /^[\w.+@-]+$/.test(name.toString("latin1"));
      const plain = names.filter(isPlain);
      for (let at = 0; at < plain.length; at += namesAtOnce) {
        const some = plain.slice(at, at + namesAtOnce);
        const list = some.map((name) => name.toString("latin1")).join(" ");
        entries.push(...parseStats(await this.fish.run(`lstatnslist ${quoted(path)} "${list}"`, commandMs), some));
      }
      for (const name of names.filter((one) => !isPlain(one))) {
        const whole = Buffer.concat([Buffer.from(path.endsWith("/") ? path : `${path}/`), name]);
        entries.push(...(await this.stat(whole, name)));
      }
      return entries.sort((a, b) => a.name.localeCompare(b.name));
    });
  }

  /** Copies a file out. @returns where it lies; the caller removes it @throws CumulusError `not_found`, `bad_request` for what is no plain file, `too_large` */
  read(path: string, target: string): Promise<void> {
    return this.inTurn(async () => {
      const [stat] = await this.stat(Buffer.from(path), Buffer.from(path));
      if (stat?.type !== "file")
        throw new CumulusError("bad_request", `${path} is no file: only plain files can be downloaded.`);
      if (stat.sizeBytes > maxFileBytes)
        throw new CumulusError("too_large", `${path} is larger than 8 GiB, the most that is taken out.`);
      await this.fish.run(`download ${quoted(path)} ${quoted(target)}`, openMs);
    });
  }

  /** A folder that the machine may write to. */
  get scratchFolder(): string {
    return this.scratch;
  }

  async close(): Promise<void> {
    await this.fish.close();
    await this.daemon.close();
    await rm(this.scratch, { recursive: true, force: true });
  }

  private async stat(path: Buffer, name: Buffer): Promise<SnapshotFile[]> {
    const text = await this.fish.run(`lstatns ${quoted(path)}`, commandMs);
    return parseStats(`[0] = {\n${text}}\n`, [name]);
  }

  /** The operating system's own view where there is one, else the first file system that can be read. */
  private async mount(): Promise<void> {
    await this.fish.run("run", openMs);
    const [root] = (await this.fish.run("inspect-os", openMs)).split("\n");
    const found = root
      ? parseMountpoints(await this.fish.run(`inspect-get-mountpoints ${quoted(root)}`, commandMs))
      : [];
    const present = found.length > 0 ? found : await this.fileSystems();
    let isMounted = false;
    for (const { folder, device } of present) {
      if (isMounted && folder === "/") break;
      try {
        await this.fish.run(`mount-ro ${quoted(device)} ${quoted(folder)}`, commandMs);
        isMounted = true;
      } catch (error) {
        if (!(error instanceof CumulusError) || error.code !== "not_found") throw error;
      }
    }
    if (!isMounted) throw new CumulusError("unavailable", "No file system on this disk can be read.");
  }

  private async fileSystems(): Promise<{ folder: string; device: string }[]> {
    const devices = parseFilesystems(await this.fish.run("list-filesystems", commandMs));
    return devices.map((device) => ({ folder: "/", device }));
  }

  private inTurn<T>(act: () => Promise<T>): Promise<T> {
    const acted = this.queue.then(act);
    this.queue = acted.catch(() => undefined);
    return acted;
  }
}

/** Offers the disk on a socket beside the daemon's own. */
async function offer(daemon: StorageDaemon, node: object): Promise<string> {
  const path = join(daemon.folder, "nbd.sock");
  await daemon.qmp.execute("nbd-server-start", { addr: { type: "unix", data: { path } } });
  const id = (node as { "node-name": string })["node-name"];
  await daemon.qmp.execute("block-export-add", { type: "nbd", id: "disk", "node-name": id, name: "" });
  return path;
}

function split(names: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < names.length; ) {
    const end = names.indexOf(0, at);
    if (end < 0) break;
    found.push(names.subarray(at, end));
    at = end + 1;
  }
  return found;
}
