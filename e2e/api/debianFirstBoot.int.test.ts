import { mkdir, symlink } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Vm } from "../../lib/domain/vm";
import { pathsOf } from "../../lib/env";
import { testAppliance } from "../../lib/images/testing/appliance";
import { installBuiltImage } from "../../lib/images/testing/builtImage";
import { type DebRepository, serveDebs } from "../../lib/images/testing/debRepository";
import { runsSlowTests } from "../../lib/system/testing/slowTests";
import { createSshClient, type SshClient } from "../sshClient";
import { type Stack, startStack } from "../stack";
import { imageClient } from "./imageClient";

/** Machines that are emulated, on a computer that has much else to do. */
const slowMs = 900_000;

/** Done by each machine that is made of the recipe's image, after what the machine itself was asked for. */
const recipe = {
  name: "at-first-boot",
  title: "Debian that sets itself up",
  place: "first-boot",
  steps: [
    { type: "timezone", timezone: "America/Lima" },
    { type: "locale", locale: "de_DE.UTF-8" },
    { type: "packages", packages: ["of-the-recipe"] },
    { type: "file", path: "/srv/new/file", content: "it's $0\n", permissions: "0640" },
    { type: "script", script: "#!/bin/bash\ncat /usr/share/of-the-recipe/hello >>/srv/script\n" },
  ],
};

describe.runIf(runsSlowTests)("a first boot of Debian", () => {
  let stack: Stack;
  let ssh: SshClient;
  let repository: DebRepository;
  /** The ids of a VM whose requests can be met, and of one that asks for a package that there is none of. They boot side by side. */
  let asks: number;
  let fails: number;
  beforeAll(async () => {
    [stack, ssh, repository] = await Promise.all([
      startStack({ startsParts: false }),
      createSshClient(),
      serveDebs(["of-the-recipe", "of-the-vm"]),
    ]);
    await mkdir(testAppliance, { recursive: true });
    await symlink(testAppliance, pathsOf(stack.settings).appliance);
    await installBuiltImage(pathsOf(stack.settings), { name: "debian-12", arch: "x86_64" });
    await Promise.all([stack.startPostgres(), stack.startAgent()]);
    await stack.startConsole();
    const { body } = await stack.api<{ items: { name: string; gateway: string }[] }>("GET", "/api/networks");
    const gateway = body.items.find(({ name }) => name === "default")?.gateway ?? "";
    const api = imageClient(stack);
    await api.made(await api.post({ recipe, base: "debian-12" }), slowMs);
    const create = async (request: object) => {
      // In user mode a guest's gateway leads to this computer's loopback.
      const sources = { path: "/etc/apt/sources.list", content: repository.sourceLine(gateway) };
      const common = { image: recipe.name, size: "micro", sshKeys: [ssh.publicKey], files: [sources] };
      const { status, body } = await stack.api<Vm>("POST", "/api/vms", { ...common, ...request });
      expect(status, JSON.stringify(body)).toBe(201);
      return body.id;
    };
    asks = await create({
      ...{ name: "asks", packages: ["of-the-vm"], locale: "fr_FR.UTF-8", timezone: "Asia/Kathmandu" },
      userData: "#cloud-config\nruncmd: [date +%z >/srv/runcmd]\n",
    });
    fails = await create({ name: "fails", packages: ["no-such-package"] });
  }, 2 * slowMs);
  afterAll(async () => {
    await stack?.stop();
    await Promise.all([ssh?.remove(), repository?.close()]);
  });

  /** The VM when it has had its first boot. */
  async function afterFirstBoot(id: number): Promise<Vm> {
    const read = async () => (await stack.api<Vm>("GET", `/api/vms/${id}`)).body;
    const unfinished = async () => (await read()).timeline.filter(({ state }) => state !== "done");
    // Whoever asks often takes of the cores that the guests run on.
    await expect.poll(unfinished, { timeout: slowMs, interval: 1000 }).toEqual([]);
    return read();
  }

  /** What one command in the guest prints: a login takes seconds there, and a program of Python's half a minute. */
  const inGuest = (vm: Vm, ...commands: string[]) =>
    expect.poll(() => ssh.run(vm.ssh.command, commands.join("; ")).catch(String), { timeout: slowMs, interval: 1000 });
  const status = "cloud-init status";
  const settings =
    "cat /etc/default/locale; locale -a | grep _; cat /etc/timezone; date +%z; timedatectl show -p Timezone";
  const ofRecipe = "sudo cat /srv/new/file /srv/script; stat -c '%u:%g %a' /srv/new/file";
  const doneByRecipe = ["it's $0", "hello from of-the-recipe", "0:0 640"];

  // Half a minute to SSH on a quiet computer under emulation, and as long for a locale and packages.
  test(
    "Debian has the packages, locale, time zone and commands that its VM asks for, then the recipe's steps but where the VM asks otherwise",
    async () => {
      const vm = await afterFirstBoot(asks);
      expect(vm).toMatchObject({ status: "running", isReady: true, firstBoot: { errors: [], warnings: [] } });
      expect(vm.firstBoot.stages.map(({ stage }) => stage)).toEqual(["local", "init", "config", "final"]);
      const ofVm = "cat /usr/share/of-the-vm/hello /srv/runcmd; LC_ALL= LANG=fr_FR.UTF-8 date -d 2026-03-01 +%B";
      await inGuest(vm, status, ofVm, ofRecipe, settings).toBe(
        [
          ...["status: done", "hello from of-the-vm", "+0545", "mars", ...doneByRecipe],
          ...["LANG=fr_FR.UTF-8", "fr_FR.utf8", "Asia/Kathmandu", "+0545", "Timezone=Asia/Kathmandu"],
        ].join("\n"),
      );
    },
    2 * slowMs,
  );

  test(
    "a package that there is none of leaves Debian ready with errors, told with the module and apt's reason, and the recipe's steps done",
    async () => {
      const vm = await afterFirstBoot(fails);
      expect(vm).toMatchObject({ status: "running", isReady: true, firstBoot: { warnings: [] } });
      const reason = "E: Unable to locate package no-such-package";
      expect(vm.firstBoot.errors).toEqual([
        { module: "package_update_upgrade_install", lines: expect.arrayContaining([reason]) },
      ]);
      await inGuest(vm, status, ofRecipe, settings).toBe(
        [
          ...["status: error", ...doneByRecipe],
          ...["LANG=de_DE.UTF-8", "de_DE.utf8", "America/Lima", "-0500", "Timezone=America/Lima"],
        ].join("\n"),
      );
    },
    2 * slowMs,
  );
});
