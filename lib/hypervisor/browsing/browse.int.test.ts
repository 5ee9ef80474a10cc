import { chmod, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pathsOf } from "../../env";
import { installImage } from "../../images/store";
import { testAppliance } from "../../images/testing/appliance";
import type { Hypervisor } from "../hypervisor";
import { TestHost } from "../testing/testHost";

const strange = `it's "strange"; \n!id $HOME äöü`;
const quiet = { progress() {}, log() {} };
const slow = 600_000;

let host: TestHost;
let agent: Hypervisor;

/** A VM whose disk is a file system, with a snapshot of it. */
beforeAll(async () => {
  host = await TestHost.make();
  const paths = pathsOf(host.settings);
  await mkdir(testAppliance, { recursive: true });
  await symlink(testAppliance, paths.appliance);
  agent = await host.agent();
  const spec = await host.spec(1);
  await agent.ensure({ ...spec, disk: { ...spec.disk, imageSha256: await fileSystemImage() } });
  const ask = { snapshotId: 5, operationId: 9, memory: false, freeze: false };
  await agent.takeSnapshot(1, ask, quiet, new AbortController().signal);
}, slow);
afterAll(() => host?.close());

async function fileSystemImage(): Promise<string> {
  const { staging } = pathsOf(host.settings);
  const [tree, raw, disk] = [join(staging, "tree"), join(staging, "disk.raw"), join(staging, "disk.qcow2")];
  await mkdir(join(tree, "etc", "deep"), { recursive: true });
  await mkdir(join(tree, "empty"));
  await writeFile(join(tree, "etc", "hostname"), "the-guest\n");
  await chmod(join(tree, "etc", "hostname"), 0o640);
  await writeFile(join(tree, "etc", strange), "found");
  await symlink("/etc/shadow", join(tree, "etc", "link"));
  await execa("truncate", ["-s", "32M", raw]);
  await execa("mke2fs", ["-q", "-t", "ext4", "-d", tree, raw]);
  await execa("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, disk]);
  const { sha256 } = await installImage(pathsOf(host.settings), disk, {
    name: "files",
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

test(
  "a snapshot's folders and files can be read, whatever they are called, and links lead nowhere on this host",
  async () => {
    expect((await agent.listSnapshotFiles(5, "/")).map(({ name, type }) => [name, type])).toEqual([
      ["empty", "folder"],
      ["etc", "folder"],
      ["lost+found", "folder"],
    ]);
    const etc = await agent.listSnapshotFiles(5, "/etc");
    expect(etc.map(({ name }) => name).sort()).toEqual(["deep", "hostname", strange, "link"].sort());
    expect(etc.find(({ name }) => name === "hostname")).toMatchObject({
      type: "file",
      sizeBytes: 10,
      permissions: "0640",
    });
    expect(await agent.listSnapshotFiles(5, "/empty")).toEqual([]);

    expect(await text(await agent.readSnapshotFile(5, "/etc/hostname"))).toBe("the-guest\n");
    expect(await text(await agent.readSnapshotFile(5, `/etc/${strange}`))).toBe("found");
    await expect(agent.readSnapshotFile(5, "/etc/link")).rejects.toMatchObject({ code: "bad_request" });
    await expect(agent.readSnapshotFile(5, "/etc")).rejects.toMatchObject({ code: "bad_request" });
    await expect(agent.listSnapshotFiles(5, "/none")).rejects.toMatchObject({ code: "not_found" });
    await expect(agent.listSnapshotFiles(6, "/")).rejects.toMatchObject({ code: "not_found" });
  },
  slow,
);

test("who reads a disk runs without rights on this host, and is gone with the agent", async () => {
  const pids = async () => {
    const all = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    const lines = await Promise.all(all.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
    return all.filter(
      (_, index) => lines[index]?.includes(host.settings.runDir) && /guestfish|storage-daemon/.test(lines[index] ?? ""),
    );
  };
  const found = await pids();
  expect(found.length).toBeGreaterThanOrEqual(2);
  for (const pid of found) {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    if (process.getuid?.() === 0) expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).not.toBe("0");
    expect(/^CapEff:\s+(\w+)/m.exec(status)?.[1]).toBe("0000000000000000");
  }
  await agent.close();
  expect(await pids()).toEqual([]);
  expect((await readdir(pathsOf(host.settings).staging)).filter((name) => name.startsWith("browse-"))).toEqual([]);
});
