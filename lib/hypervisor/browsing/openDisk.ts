import { chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { CumulusError } from "../../domain/errors";
import { maxListed, type SnapshotFile, type SnapshotFolder } from "../../domain/snapshotFile";
import { pathsOf } from "../../env";
import { fixedAppliance, guestfsUserEnvironment } from "../../images/recipes/fixedAppliance";
import type { MachineUser } from "../../system/machineUsers";
import type { HostContext } from "../context";
import { StorageDaemon } from "../layers/storageDaemon";
import { CommandError, Guestfish } from "./guestfish";
import { type Entry, isUtf8, parseFilesystems, parseMountpoints, parseStats, quoted } from "./words";

const openMs = 240_000;
const commandMs = 60_000;
/** Names asked about at once: a command line has an end. */
const namesAtOnce = 500;

const quiet = { progress() {}, log() {} };

/** A disk whose files can be looked at, until it is closed. Its commands are carried out one after the other. */
export class OpenDisk {
  private queue: Promise<unknown> = Promise.resolve();

  /** @param folder what the machine may write to */
  private constructor(
    private readonly daemon: StorageDaemon,
    private readonly fish: Guestfish,
    private readonly folder: string,
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

  /** Entries of a folder, by name; of a large one the first that the file system tells. @throws CumulusError `not_found`, `bad_request` for what is no folder */
  list(path: string): Promise<SnapshotFolder> {
    return this.inTurn(async () => {
      const names = split(await this.fish.bytes(`ls0 ${quoted(path)} -`, commandMs));
      const listed = names.slice(0, maxListed);
      const entries: Entry[] = [];
      // guestfish takes a list as one word that it splits at spaces: names with anything odd in them are asked about one by one.
      const isPlain = (name: Buffer) => /^[\w.+@-]+$/.test(name.toString("latin1"));
      for (const some of batches(listed.filter(isPlain))) {
        const list = some.map((name) => name.toString("latin1")).join(" ");
        entries.push(...parseStats(await this.fish.run(`lstatnslist ${quoted(path)} "${list}"`, commandMs), some));
      }
      for (const name of listed.filter((one) => !isPlain(one))) {
        entries.push(...(await this.stat("lstatns", childOf(path, name), name)));
      }
      const files = entries.map(({ name, ...entry }): SnapshotFile => {
        return { ...entry, name: name.toString("utf8"), isOpenable: isUtf8(name), link: null };
      });
      const links = entries.flatMap(({ type, name }, index) => (type === "link" ? [{ name, index }] : []));
      for (const some of batches(links)) {
        const found = await this.follow(some.map(({ name }) => childOf(path, name)));
        for (const [at, { index }] of some.entries()) Object.assign(files[index] ?? {}, { link: found[at] });
      }
      return { files: files.sort((a, b) => a.name.localeCompare(b.name)), totalCount: names.length };
    });
  }

  /** A file's size; of a link, that of the file it leads to. @throws CumulusError `not_found`, `bad_request` for what is no plain file */
  sizeOf(path: string): Promise<number> {
    return this.inTurn(async () => {
      const [stat] = await this.stat("statns", Buffer.from(path), Buffer.from(path));
      if (stat?.type === "file") return stat.sizeBytes;
      throw new CumulusError("bad_request", `${path} is no file: only plain files can be downloaded.`);
    });
  }

  /** A part of a file. Others have their turn between two parts. */
  readPart(path: string, offset: number, length: number): Promise<Buffer> {
    return this.inTurn(async () => {
      const part = await this.fish.bytes(`download-offset ${quoted(path)} - ${offset} ${length}`, commandMs);
      if (part.length === length) return part;
      throw new CumulusError("unavailable", `${path} could not be read to its end.`);
    });
  }

  async close(): Promise<void> {
    await this.fish.close();
    await this.daemon.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async stat(command: "lstatns" | "statns", path: Buffer, name: Buffer): Promise<Entry[]> {
    const text = await this.fish.run(`${command} ${quoted(path)}`, commandMs);
    return parseStats(`[0] = {\n${text}}\n`, [name]);
  }

  /** Where links lead, within the guest. */
  private async follow(paths: Buffer[]): Promise<NonNullable<SnapshotFile["link"]>[]> {
    const targets: string[] = [];
    for (const path of paths) targets.push((await this.fish.run(`readlink ${quoted(path)}`, commandMs)).slice(0, -1));
    const asked = paths.flatMap((path) =>
      ["is-dir", "is-file"].map((command) => `${command} ${quoted(path)} followsymlinks:true`),
    );
    const answers = (await this.fish.words(asked, commandMs)).map((word) => word === "true");
    return targets.map((target, index) => {
      const [isFolder, isFile] = answers.slice(2 * index);
      return { target, leadsTo: isFolder ? "folder" : isFile ? "file" : null };
    });
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
        if (!(error instanceof CommandError)) throw error;
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

function childOf(folder: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(folder.endsWith("/") ? folder : `${folder}/`), name]);
}

function batches<T>(all: T[]): T[][] {
  const count = Math.ceil(all.length / namesAtOnce);
  return Array.from({ length: count }, (_, index) => all.slice(index * namesAtOnce, (index + 1) * namesAtOnce));
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
