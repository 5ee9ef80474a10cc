import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ImageManifest } from "../domain/image";
import { MIB } from "../domain/units";
import { pathsOf } from "../env";
import { imageFile, installImage } from "../images/store";
import type { DiskSource, Hypervisor } from "./hypervisor";
import { machinePaths } from "./machinePaths";
import { TestHost } from "./testing/testHost";

const report = { progress: () => {}, log: () => {} };
const { signal } = new AbortController();

let host: TestHost;
let agent: Hypervisor;
/** What an export writes. */
let target: { disk: string; uefiVars: string };

beforeAll(async () => {
  host = await TestHost.make();
  agent = await host.agent();
  const { staging } = pathsOf(host.settings);
  target = { disk: join(staging, "disk.qcow2"), uefiVars: join(staging, "vars.fd") };
  await agent.ensure(await host.spec(1, { firmware: "uefi" }));
});
afterAll(() => host?.close());

/** Writes into the VM's variables, as its firmware would. @returns all of them */
async function mark(text: string): Promise<Buffer> {
  const file = machinePaths(host.settings, 1).uefiVars;
  const content = await readFile(file);
  content.write(text, content.length - 64);
  await writeFile(file, content);
  return content;
}

/** What is exported of a disk's variables; null for none. */
async function varsOf(source: DiskSource): Promise<Buffer | null> {
  const { hasUefiVars } = await agent.exportDisk(source, target, report, signal);
  const content = hasUefiVars ? await readFile(target.uefiVars) : null;
  for (const file of Object.values(target)) await rm(file, { force: true });
  return content;
}

/** Makes an image of the test guest's disk. */
async function imageWith(name: string, variables: string): Promise<ImageManifest> {
  const paths = pathsOf(host.settings);
  await copyFile(imageFile(paths, host.imageSha256), target.disk);
  const described = { name, title: name, description: "", arch: "x86_64", firmware: "uefi" } as const;
  const needs = { minMemoryBytes: 16 * MIB, loginUser: "nobody", recipeHash: null };
  return installImage(paths, target.disk, { ...described, ...needs }, { variables });
}

async function specOfImage(id: number, { sha256, variablesSha256 }: ImageManifest) {
  const disk = { imageSha256: sha256, sizeBytes: 64 * MIB, variablesSha256: variablesSha256 ?? "" };
  return host.spec(id, { firmware: "uefi", disk });
}

test("the variables of a VM and of its snapshot are exported as they were, on and off, and a BIOS has none", async () => {
  const first = await mark("at the snapshot");
  const ask = { snapshotId: 1, operationId: 1, memory: false, freeze: false };
  await agent.takeSnapshot(1, ask, report, signal);
  const second = await mark("now");
  expect(await varsOf({ snapshotId: 1 })).toEqual(first);
  expect(await varsOf({ vmId: 1 })).toEqual(second);
  await agent.start(1);
  expect(await varsOf({ vmId: 1 })).toHaveLength(second.length);
  await agent.stop(1);
  await agent.ensure(await host.spec(2));
  expect(await varsOf({ vmId: 2 })).toBeNull();
});

test("a VM starts with the variables of its image, and writes to its own", async () => {
  const content = await mark("of an image");
  const image = await imageWith("kept", machinePaths(host.settings, 1).uefiVars);
  await mark("later");
  await agent.ensure(await specOfImage(3, image));
  expect(await readFile(machinePaths(host.settings, 3).uefiVars)).toEqual(content);
});

test("variables that are gone, or of another firmware, are told, and no VM is made", async () => {
  const short = join(pathsOf(host.settings).staging, "short.fd");
  await writeFile(short, Buffer.alloc(4096));
  const image = await imageWith("short", short);
  await rm(short);
  await expect(agent.ensure(await specOfImage(4, image))).rejects.toMatchObject({
    code: "bad_request",
    message: expect.stringMatching(/take 4 KiB, and those of this host's firmware/),
  });
  const lost = { ...image, variablesSha256: "e".repeat(64) };
  await expect(agent.ensure(await specOfImage(4, lost))).rejects.toMatchObject({ code: "not_found" });
  expect(await agent.observe(4)).toMatchObject({ state: "absent" });
});
