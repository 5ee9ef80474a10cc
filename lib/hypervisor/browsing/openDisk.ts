import { chown, mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { CumulusError, messageOf } from "../../domain/errors";
import { maxListed, type SnapshotFile, type SnapshotFolder } from "../../domain/snapshotFile";
import { pathsOf } from "../../env";
import { fixedAppliance, guestfsUserEnvironment } from "../../images/recipes/fixedAppliance";
import type { Log } from "../../system/log";
import type { MachineUser } from "../../system/machineUsers";
import { tryRemoveTree } from "../../system/removeTree";
import type { HostContext } from "../context";
import { StorageDaemon } from "../layers/storageDaemon";
import { CommandError, Guestfish } from "./guestfish";
import { type Entry, isUtf8, parseFilesystems, parseMountpoints, parseStats, quoted } from "./words";

const openMs = 240_000;
const commandMs = 60_000;
/** Names asked about at once: a command line has an end. */
const namesAtOnce = 500;
/** Entries that take commands of their own: others have their turn after as many. */
const commandsAtOnce = 100;
/** Links of a folder that are followed. */
const maxFollowed = 1000;

const quiet = { progress() {}, log() {} };

/** A disk whose files can be looked at, until it is closed. Its commands are carried out one after the other. */
export class OpenDisk {
  private queue: Promise<unknown> = Promise.resolve();

  /** @param folder what the machine may write to */
  private constructor(
    private readonly daemon: StorageDaemon,
    private readonly fish: Guestfish,
    private readonly folder: string,
    private readonly log: Log,
  ) {}

  /**
   * @param node the disk, read-only, as QEMU's -blockdev
   * @throws CumulusError `unavailable` when a tool is missing, or no file system of the disk can be read
   */
  static async open(context: HostContext, node: object, user: MachineUser | null): Promise<OpenDisk> {
    const { settings, log } = context;
    const scratch = await mkdtemp(join(pathsOf(settings).staging, "browse-"));
    const signal = AbortSignal.timeout(openMs);
    const isEmulated = (await context.accelerator()).kind !== "kvm";
    const own = join(settings.runDir, `guestfish-${scratch.slice(-6)}`);
    let daemon: StorageDaemon | undefined;
    let fish: Guestfish | undefined;
    try {
      // By which others see that somebody looks into a disk.
      await mkdir(own, { mode: 0o700 });
      if (user !== null) await chown(own, user.uid, user.gid);
      const appliance = await fixedAppliance(pathsOf(settings).appliance, {
        isEmulated,
        scratch,
        report: quiet,
        signal,
      });
      daemon = await StorageDaemon.start(node, user);
      const socket = join(own, "nbd.sock");
      await offer(daemon, node, socket);
      fish = Guestfish.start(socket, guestfsUserEnvironment(appliance, own, isEmulated), user);
      const disk = new OpenDisk(daemon, fish, own, log);
      await disk.mount();
      await tryRemoveTree(scratch, log);
      return disk;
    } catch (error) {
      await putAway([fish, daemon], [own, scratch], log);
      throw error;
    }
  }

  /** Entries of a folder, by name; of a large one the first that the file system tells. @throws CumulusError `not_found`, `bad_request` for what is no folder */
  async list(path: string): Promise<SnapshotFolder> {
    const names = await this.inTurn(async () => split(await this.fish.bytes(`ls0 ${quoted(path)} -`, commandMs)));
    const entries = await this.entries(path, names.slice(0, maxListed));
    const files = entries.map(({ name, ...entry }): SnapshotFile => {
      return { ...entry, name: name.toString("utf8"), isOpenable: isUtf8(name), link: null };
    });
    const links = entries.flatMap(({ type, name }, index) => (type === "link" ? [{ name, index }] : []));
    for (const some of batches(links.slice(0, maxFollowed), commandsAtOnce)) {
      const found = await this.follow(some.map(({ name }) => childOf(path, name)));
      for (const [at, { index }] of some.entries()) Object.assign(files[index] ?? {}, { link: found[at] });
    }
    return { files: files.sort((a, b) => a.name.localeCompare(b.name)), totalCount: names.length };
  }

  /** A file's size; of a link, that of the file it leads to. @throws CumulusError `not_found`, `bad_request` for what is no plain file */
  sizeOf(path: string): Promise<number> {
    return this.inTurn(async () => {
      const [stat] = statOf(await this.fish.run(`statns ${quoted(path)}`, commandMs), Buffer.from(path));
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

  /** Never fails: the log says what stays. */
  close(): Promise<void> {
    return putAway([this.fish, this.daemon], [this.folder], this.log);
  }

  /** Entries by their names. guestfish takes a list as one word that it splits at spaces: names with anything odd in them are asked about one by one. */
  private async entries(folder: string, names: Buffer[]): Promise<Entry[]> {
    const isPlain = (name: Buffer) => /^[\w.+@-]+$/.test(name.toString("latin1"));
    const entries: Entry[] = [];
    for (const some of batches(names.filter(isPlain), namesAtOnce)) {
      const list = some.map((name) => name.toString("latin1")).join(" ");
      const asked = `lstatnslist ${quoted(folder)} "${list}"`;
      entries.push(...parseStats(await this.inTurn(() => this.fish.run(asked, commandMs)), some));
    }
    const odd = names.filter((name) => !isPlain(name));
    for (const some of batches(odd, commandsAtOnce)) {
      const asked = some.map((name) => `lstatns ${quoted(childOf(folder, name))}`);
      const printed = await this.inTurn(() => this.fish.answers(asked, commandMs));
      entries.push(...some.flatMap((name, index) => statOf(printed[index]?.toString("utf8") ?? "", name)));
    }
    return entries;
  }

  /** Where links lead, within the guest; null for one that can't be read. */
  private follow(paths: Buffer[]): Promise<SnapshotFile["link"][]> {
    const asked = paths.map(quoted).flatMap((path) => {
      return [`readlink ${path}`, `is-dir ${path} followsymlinks:true`, `is-file ${path} followsymlinks:true`];
    });
    return this.inTurn(async () => {
      const answers = (await this.fish.answers(asked, commandMs)).map((answer) => answer.toString("utf8"));
      return paths.map((_, index) => {
        const [target = "", isFolder = "", isFile = ""] = answers.slice(3 * index);
        if (target === "") return null;
        const leadsTo = isFolder.trim() === "true" ? "folder" : isFile.trim() === "true" ? "file" : null;
        return { target: target.slice(0, -1), leadsTo };
      });
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

/** What `lstatns` and `statns` print of an entry; nothing when they failed. */
function statOf(printed: string, name: Buffer): Entry[] {
  return parseStats(`[0] = {\n${printed}}\n`, [name]);
}

function batches<T>(all: T[], size: number): T[][] {
  const count = Math.ceil(all.length / size);
  return Array.from({ length: count }, (_, index) => all.slice(index * size, (index + 1) * size));
}

/** Ends those who look into a disk, then removes folders, each whatever becomes of the others. Never fails: the log says what stays. */
async function putAway(
  lookers: ({ close(): Promise<void> } | undefined)[],
  folders: string[],
  log: Log,
): Promise<void> {
  for (const looker of lookers) {
    await looker?.close().catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, "a process that looked into a disk can't be ended");
    });
  }
  for (const folder of folders) await tryRemoveTree(folder, log);
}

/** Offers the disk on a socket. */
async function offer(daemon: StorageDaemon, node: object, path: string): Promise<void> {
  await daemon.qmp.execute("nbd-server-start", { addr: { type: "unix", data: { path } } });
  const id = (node as { "node-name": string })["node-name"];
  await daemon.qmp.execute("block-export-add", { type: "nbd", id: "disk", "node-name": id, name: "" });
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
