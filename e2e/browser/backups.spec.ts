import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@playwright/test";
import pg from "pg";
import { connectionConfig } from "../../lib/db/client";
import type { Backup, BackupRepository } from "../../lib/domain/backup";
import type { Network } from "../../lib/domain/network";
import type { Vm } from "../../lib/domain/vm";
import { createSshClient, type SshClient } from "../sshClient";
import { type Stack, startStack, until } from "../stack";
import { signIn, test } from "./fixtures";

const bootMs = 120_000;
let ssh: SshClient;
let folder: string;
test.beforeAll(async () => {
  ssh = await createSshClient();
  folder = await mkdtemp(join(tmpdir(), "backups-"));
});
test.afterAll(async () => {
  await ssh?.remove();
  await rm(folder, { recursive: true, force: true });
});

test("a scheduled backup runs, is copied elsewhere, and comes back as a new VM", async ({ page, stack }) => {
  await signIn(page, stack);
  const create = { name: "keeper", image: "mini", size: "nano", sshKeys: [ssh.publicKey] };
  const { body: vm } = await stack.api<Vm>("POST", "/api/vms?wait=ready", create);
  await ssh.run(vm.ssh.command, "echo precious > /root/letter && sync");

  await test.step("add a repository", async () => {
    await page.goto(`${stack.url}/settings/backups`);
    await page.getByRole("button", { name: "Add repository" }).click();
    await page.getByLabel("Name").fill("Other disk");
    await page.getByLabel("Path").fill(folder);
    await page.getByLabel("Encryption password").fill("correct horse battery");
    await page.getByRole("dialog").getByRole("button", { name: "Add repository" }).click();
    await expect(page.getByRole("row", { name: /Other disk/ })).toBeVisible({ timeout: 60_000 });
  });

  await test.step("turn the schedule on", async () => {
    await page.goto(`${stack.url}/vms/${vm.id}/backups`);
    await page.getByRole("combobox", { name: "Copy each snapshot to" }).selectOption("Other disk");
    await page.getByRole("button", { name: "Turn on" }).click();
    await expect(page.getByText(/The next snapshot is due on/)).toBeVisible();
  });

  await test.step("the clock comes to the hour, and the backup is made", async () => {
    await comeToTheHour(stack, vm.id);
    const row = page.getByRole("row", { name: /Daily/ });
    await expect(row).toContainText("Done", { timeout: 180_000 });
    const copy = row.getByText(/MiB in Other disk, which grew by .*iB; read back/).filter({ visible: true });
    await expect(copy).toHaveCount(1);
    await page.setViewportSize({ width: 390, height: 850 });
    await copy.scrollIntoViewIfNeeded();
    await expect(copy).toBeInViewport({ ratio: 1 });
    await page.setViewportSize({ width: 1280, height: 850 });
  });

  await test.step("restore it into a new VM, which has the letter and a name of its own", async () => {
    await page.getByRole("button", { name: /^Restore the backup/ }).click();
    await page.getByLabel("Name of the new VM").fill("heir");
    await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
    await page.goto(stack.url);
    await page.getByRole("link", { name: "heir", exact: true }).click({ timeout: 120_000 });
    await expect(page.getByText("SSH answers", { exact: false }).first()).toBeVisible({ timeout: bootMs });
    const { body } = await stack.api<{ items: Vm[] }>("GET", "/api/vms");
    const heir = body.items.find(({ name }) => name === "heir");
    expect(await ssh.run(heir?.ssh.command ?? "", "cat /root/letter; hostname")).toBe("precious\nheir");
  });
});

test("a backup comes back on an empty installation: the repository is added, and a VM made of what is in it", async ({
  page,
  stack,
}) => {
  const path = join(folder, "carried");
  await mkdir(path);
  const password = "correct horse battery";
  const create = { name: "emigrant", image: "mini", size: "nano", sshKeys: [ssh.publicKey] };
  const { body: vm } = await stack.api<Vm>("POST", "/api/vms?wait=ready", create);
  const identity = "cat /etc/machine-id; md5sum </etc/dropbear/dropbear_ed25519_host_key";
  const before = await ssh.run(vm.ssh.command, `echo precious > /root/letter && sync; ${identity}`);
  const ask = { name: "Carried disk", password, place: { kind: "folder", path } };
  const { body: repository } = await stack.api<BackupRepository>("POST", "/api/backup-repositories", ask);
  const { body: asked } = await stack.api<Backup>("POST", `/api/vms/${vm.id}/backups`, { repository: repository.id });
  await until(
    "the backup is made",
    async () => {
      const { body } = await stack.api<{ items: Backup[] }>("GET", `/api/vms/${vm.id}/backups`);
      return body.items.find(({ id }) => id === asked.id)?.status === "done";
    },
    180_000,
  );

  const empty = await startStack();
  try {
    await empty.api("DELETE", "/api/images/mini");
    await signIn(page, empty);

    await test.step("add the repository, with its password", async () => {
      await page.goto(`${empty.url}/settings/backups`);
      await page.getByRole("button", { name: "Add repository" }).click();
      await page.getByLabel("Name").fill("From the old machine");
      await page.getByLabel("Path").fill(path);
      await page.getByLabel("Encryption password").fill("not this one");
      const add = page.getByRole("dialog").getByRole("button", { name: "Add repository" });
      await add.click();
      await expect(page.getByText("It doesn't open this repository.")).toBeVisible({ timeout: 60_000 });
      await page.getByLabel("Encryption password").fill(password);
      await add.click();
      await expect(page.getByRole("row", { name: /From the old machine/ })).toBeVisible({ timeout: 60_000 });
    });

    await test.step("restore what is in it, and ssh in", async () => {
      await page.getByRole("button", { name: "Show what is in From the old machine" }).click();
      await page.getByRole("button", { name: /^Restore emigrant of/ }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
      await expect(page.getByRole("dialog")).toBeHidden();
      await page.goto(empty.url);
      await page.getByRole("link", { name: "emigrant-restored", exact: true }).click({ timeout: 120_000 });
      await expect(page.getByText("SSH answers").first()).toBeVisible({ timeout: bootMs });
      const { body } = await empty.api<{ items: Vm[] }>("GET", "/api/vms");
      expect(body.items).toMatchObject([{ name: "emigrant-restored", size: vm.size }]);
      const command = body.items[0]?.ssh.command ?? "";
      expect(await ssh.run(command, "cat /root/letter; hostname")).toBe("precious\nemigrant-restored");
      const after = (await ssh.run(command, identity)).split("\n");
      expect(before.split("\n").filter((line) => after.includes(line))).toEqual([]);
    });
  } finally {
    await empty.stop();
  }
});

test("a copy that failed says why, is copied again, is found where its repository was moved, is restored into another network, and goes when its VM is gone", async ({
  page,
  fakeStack: stack,
}) => {
  await signIn(page, stack);
  const path = join(folder, "loose");
  await mkdir(path);
  const place = { kind: "folder", path };
  const ask = { name: "Loose disk", password: "correct horse battery", place };
  const { body: repository } = await stack.api<BackupRepository>("POST", "/api/backup-repositories", ask);
  const create = { name: "loser", image: "mini", size: "nano" };
  const { body: vm } = await stack.api<Vm>("POST", "/api/vms?wait=ready", create);
  await rename(path, `${path}.away`);
  await stack.api("POST", `/api/vms/${vm.id}/backups`, { repository: repository.id });

  await page.goto(`${stack.url}/vms/${vm.id}/backups`);
  const row = page.getByRole("row", { name: /By hand/ });
  await expect(row).toContainText(/It was not copied\. .*loose/, { timeout: 90_000 });
  await rename(`${path}.away`, path);
  await row.getByRole("button", { name: /^Copy the backup .* again$/ }).click();
  await expect(row).toContainText("Done", { timeout: 90_000 });

  await rename(path, `${path}.moved`);
  await page.goto(`${stack.url}/settings/backups`);
  await page.getByRole("button", { name: "Edit Loose disk" }).click();
  await page.getByLabel("Path").fill(`${path}.moved`);
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("row", { name: /Loose disk/ })).toContainText(`${path}.moved`, { timeout: 60_000 });

  await stack.api("DELETE", `/api/vms/${vm.id}`);
  const asked = { name: "annex", cidr: "10.61.0.0/24" };
  const { body: network } = await stack.api<Network>("POST", "/api/networks", asked);
  await page.getByRole("button", { name: "Show what is in Loose disk" }).click();
  const stored = page.getByRole("row", { name: /loser/ });
  await stored.getByRole("button", { name: /^Restore loser of/ }).click();
  const choice = page.getByRole("dialog", { name: "Restore loser" }).getByRole("combobox", { name: "Network" });
  await expect(choice.getByRole("option", { selected: true })).toHaveText("The VM's own, else default");
  await choice.selectOption("annex (10.61.0.0/24)");
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await until("it is there", async () => (await vmNamed(stack, "loser-restored"))?.network.name === "annex");
  await stack.api("DELETE", `/api/vms/${(await vmNamed(stack, "loser-restored"))?.id}`);
  await until(
    "the network is unused",
    async () => (await stack.api("DELETE", `/api/networks/${network.id}`)).status < 300,
  );

  await page.getByRole("button", { name: "Show what is in Loose disk" }).click();
  await stored.getByRole("button", { name: /^Remove loser of/ }).click();
  await page.getByRole("button", { name: "Remove copy" }).click();
  await expect(page.getByText("Nothing is in it yet")).toBeVisible({ timeout: 60_000 });
});

async function vmNamed(stack: Stack, name: string): Promise<Vm | undefined> {
  const { body } = await stack.api<{ items: Vm[] }>("GET", `/api/vms?search=${name}`);
  return body.items.find((vm) => vm.name === name);
}

/** As if the time had passed: the policy's daily run was due a day ago, and the clock strikes. */
async function comeToTheHour(stack: Stack, vmId: number): Promise<void> {
  const database = new pg.Client(connectionConfig(stack.settings));
  await database.connect();
  try {
    await database.query("update backup_policies set daily_at = now() - interval '1 day' where vm_id = $1", [vmId]);
    await database.query("select graphile_worker.add_job('advance-backups', job_key := 'advance-backups')");
  } finally {
    await database.end();
  }
}
