import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MIB } from "../../domain/units";
import { pathsOf } from "../../env";
import { installImage } from "../../images/store";
import { testAppliance } from "../../images/testing/appliance";
import { slowTest } from "../../system/testing/slowTests";
import { whileFoldersAreStuck } from "../../system/testing/stuckFolders";
import type { Hypervisor } from "../hypervisor";
import { TestHost } from "../testing/testHost";
import { until } from "../testing/until";

const strange = `it's "strange"; \n!id $HOME äöü`;
/** More than is read at once. */
const large = randomBytes(9 * MIB);
const links: [path: string, target: string][] = [
  ["etc/link", "/etc/shadow"],
  ["etc/name", "hostname"],
  ["etc/round", "round"],
  ["bin", "etc/deep"],
  ["etc/words", "true,\nfalse"],
];
const quiet = { progress() {}, log() {} };
const slow = 600_000;

let host: TestHost;
let agent: Hypervisor;

/** Two VMs with a snapshot each: the first one's disk is a file system, the second one's has it in a partition. */
beforeAll(async () => {
  host = await TestHost.make();
  const paths = pathsOf(host.settings);
  await mkdir(testAppliance, { recursive: true });
  await symlink(testAppliance, paths.appliance);
  for (const name of ["browse-aaaaaa", "guestfish-aaaaaa"])
    await mkdir(join(host.settings.runDir, name), { recursive: true });
  agent = await host.agent();
  for (const [id, firstByte] of [
    [1, 0],
    [2, MIB],
  ] as const) {
    const spec = await host.spec(id);
    await agent.ensure({ ...spec, disk: { ...spec.disk, imageSha256: await fileSystemImage(firstByte) } });
    const ask = { snapshotId: 4 + id, operationId: 8 + id, memory: false, freeze: false };
    await agent.takeSnapshot(id, ask, quiet, new AbortController().signal);
  }
}, slow);
afterAll(() => host?.close());

async function fileSystemImage(firstByte: number): Promise<string> {
  const { staging } = pathsOf(host.settings);
  const name = `files-${firstByte}`;
  const [tree, raw, disk] = [join(staging, name), join(staging, `${name}.raw`), join(staging, `${name}.qcow2`)];
  await mkdir(join(tree, "etc", "deep"), { recursive: true });
  await mkdir(join(tree, "empty"));
  await writeFile(join(tree, "etc", "hostname"), "the-guest\n");
  await chmod(join(tree, "etc", "hostname"), 0o640);
  await writeFile(join(tree, "etc", strange), "found");
  await writeFile(Buffer.concat([Buffer.from(join(tree, "etc", "caf")), Buffer.from([0xe9])]), "latin");
  await writeFile(join(tree, "etc", "large"), large);
  for (const [path, target] of links) await symlink(target, join(tree, path));
  await execa("truncate", ["-s", "64M", raw]);
  if (firstByte > 0)
    await execa("sfdisk", ["-q", raw], { input: `label: gpt\nstart=${firstByte / 512}, size=100000\n` });
  await execa("mke2fs", ["-q", "-F", "-t", "ext4", "-E", `offset=${firstByte}`, "-d", tree, raw, "48M"]);
  await execa("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, disk]);
  const { sha256 } = await installImage(pathsOf(host.settings), disk, {
    name,
    title: "Files",
    description: "A file system",
    arch: "x86_64",
    firmware: "bios",
    minMemoryBytes: 2 ** 24,
    loginUser: "nobody",
    recipeHash: null,
  });
  return sha256;
}

test("what an agent that was killed left of looks into disks is swept", async () => {
  expect((await readdir(host.settings.runDir)).filter((name) => name.endsWith("-aaaaaa"))).toEqual([]);
});

test(
  "a snapshot's folders and files can be read, whatever they are called, and links lead nowhere on this host",
  async () => {
    const root = await agent.listSnapshotFiles(5, "/");
    expect(root.files.map(({ name, type }) => [name, type])).toEqual([
      ["bin", "link"],
      ["empty", "folder"],
      ["etc", "folder"],
      ["lost+found", "folder"],
    ]);
    expect(root.totalCount).toBe(4);
    const { files: etc } = await agent.listSnapshotFiles(5, "/etc");
    const names = ["caf\ufffd", "deep", "hostname", "large", "link", "name", "round", strange, "words"];
    expect(etc.map(({ name }) => name).sort()).toEqual(names.sort());
    const entry = (name: string) => etc.find((file) => file.name === name);
    expect(entry("hostname")).toMatchObject({ type: "file", sizeBytes: 10, permissions: "0640", isOpenable: true });
    expect(entry("caf\ufffd")).toMatchObject({ type: "file", sizeBytes: 5, isOpenable: false });
    expect(entry(strange)).toMatchObject({ isOpenable: true, link: null });
    expect(await agent.listSnapshotFiles(5, "/empty")).toEqual({ files: [], totalCount: 0 });

    expect(await text(await agent.readSnapshotFile(5, "/etc/hostname"))).toBe("the-guest\n");
    expect(await text(await agent.readSnapshotFile(5, `/etc/${strange}`))).toBe("found");
    await expect(agent.readSnapshotFile(5, "/etc")).rejects.toMatchObject({ code: "bad_request" });
    await expect(agent.listSnapshotFiles(5, "/etc/hostname")).rejects.toMatchObject({ code: "bad_request" });
    await expect(agent.listSnapshotFiles(5, "/none")).rejects.toMatchObject({ code: "not_found" });
    await expect(agent.listSnapshotFiles(7, "/")).rejects.toMatchObject({ code: "not_found" });

    expect(root.files.find(({ name }) => name === "bin")?.link).toEqual({ target: "etc/deep", leadsTo: "folder" });
    expect(entry("name")?.link).toEqual({ target: "hostname", leadsTo: "file" });
    expect(entry("link")?.link).toEqual({ target: "/etc/shadow", leadsTo: null });
    expect(entry("round")?.link).toEqual({ target: "round", leadsTo: null });
    expect(entry("words")?.link).toEqual({ target: "true,\nfalse", leadsTo: null });
    expect(await text(await agent.readSnapshotFile(5, "/etc/name"))).toBe("the-guest\n");
    expect(await agent.listSnapshotFiles(5, "/bin")).toEqual({ files: [], totalCount: 0 });
    await expect(agent.readSnapshotFile(5, "/etc/link")).rejects.toMatchObject({ code: "not_found" });
  },
  slow,
);

test(
  "a file is read part by part and kept nowhere on this host, and others look into the snapshot meanwhile",
  async () => {
    const stream = await agent.readSnapshotFile(5, "/etc/large");
    const first = once(stream, "readable");
    expect((await agent.listSnapshotFiles(5, "/empty")).files).toEqual([]);
    await first;
    const { runDir } = host.settings;
    const scratch = (await readdir(runDir)).filter((name) => name.startsWith("guestfish-"));
    expect(scratch).not.toEqual([]);
    const staging = (await readdir(pathsOf(host.settings).staging)).filter((name) => name.startsWith("browse-"));
    expect(staging).toEqual([]);
    const kept = await Promise.all(scratch.map((name) => bytesIn(join(runDir, name))));
    expect(kept.every((bytes) => bytes < MIB)).toBe(true);
    expect((await buffer(stream)).equals(large)).toBe(true);
  },
  slow,
);

test(
  "a file system in a partition is found",
  async () => {
    expect((await agent.listSnapshotFiles(6, "/")).files.map(({ name }) => name)).toContain("etc");
    expect(await text(await agent.readSnapshotFile(6, "/etc/hostname"))).toBe("the-guest\n");
  },
  slow,
);

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** What works on disks of this installation, by its program; libguestfs' machine is guestfish's. */
async function workers(): Promise<{ pid: number; program: string; isMachine: boolean }[]> {
  const { runDir, dataDir } = host.settings;
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return pids.flatMap((pid, index) => {
    const line = lines[index] ?? "";
    const isOurs = line.includes(runDir) || line.includes(dataDir);
    const [program] = isOurs ? (/guestfish|storage-daemon/.exec(line) ?? []) : [];
    return program ? [{ pid: Number(pid), program, isMachine: /^[^\0]*qemu-system/.test(line) }] : [];
  });
}

test(
  "a snapshot that is deleted while somebody looks into it gives its space back when its disk is closed",
  async () => {
    const { layers, snapshots } = pathsOf(host.settings);
    const layer = `${JSON.parse(await readFile(join(snapshots, "5", "snapshot.json"), "utf8")).layerId}.qcow2`;
    for (const id of [5, 6]) await agent.listSnapshotFiles(id, "/");
    await agent.remove(1);
    await agent.removeSnapshot(5);
    expect(await readdir(layers)).toContain(layer);
    for (const { pid, program } of await workers()) if (program === "guestfish") process.kill(pid, "SIGKILL");
    for (const id of [5, 6]) {
      await expect(agent.listSnapshotFiles(id, "/")).rejects.toMatchObject({ code: "unavailable" });
    }
    await until(async () => !(await readdir(layers)).includes(layer));
    expect((await agent.listSnapshotFiles(6, "/")).files).not.toEqual([]);
  },
  slow,
);

/** As when it runs out of memory, or a file system brings it down. guestfish goes on. */
async function killMachines(): Promise<void> {
  const machines = (await workers()).filter(({ isMachine }) => isMachine);
  expect(machines).not.toEqual([]);
  for (const { pid } of machines) process.kill(pid, "SIGKILL");
}

slowTest(
  "when libguestfs' machine ends, one look fails and the next one opens the disk anew, also where a folder of the first can't be removed",
  async () => {
    const list = async () => (await agent.listSnapshotFiles(6, "/etc")).files.length;
    const count = await list();
    await killMachines();
    await expect(list()).rejects.toMatchObject({ code: "unavailable" });
    expect(await list()).toBe(count);
    await killMachines();
    await whileFoldersAreStuck(() => expect(list()).rejects.toMatchObject({ code: "unavailable" }));
    const told = host.messages.filter(({ message }) => message.includes("can't be removed"));
    expect(told).toMatchObject([{ level: "warn", fields: { path: expect.stringContaining("/guestfish-") } }]);
    expect(await list()).toBe(count);
  },
  slow,
);

test("who reads a disk runs without rights on this host, and is gone with the agent", async () => {
  const found = await workers();
  expect(new Set(found.map(({ program }) => program))).toEqual(new Set(["guestfish", "storage-daemon"]));
  for (const { pid } of found) {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    if (process.getuid?.() === 0) expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).not.toBe("0");
    expect(/^CapEff:\s+(\w+)/m.exec(status)?.[1]).toBe("0000000000000000");
  }
  await agent.close();
  await until(async () => (await workers()).length === 0);
  expect((await readdir(pathsOf(host.settings).staging)).filter((name) => name.startsWith("browse-"))).toEqual([]);
});
