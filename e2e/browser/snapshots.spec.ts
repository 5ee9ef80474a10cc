import { expect, type Page } from "@playwright/test";
import { execa } from "execa";
import type { Vm } from "../../lib/domain/vm";
import { projectDir } from "../../lib/paths";
import { createSshClient, type SshClient } from "../sshClient";
import type { Stack } from "../stack";
import { signIn, test } from "./fixtures";

let ssh: SshClient;
test.beforeAll(async () => {
  ssh = await createSshClient();
});
test.afterAll(() => ssh?.remove());

/** A boot, or a guest's memory written and read, on a machine that is loaded. */
const slowMs = 120_000;

/** A value on the disk, one in memory alone, and a program that runs. */
const keep = "echo good >/root/file; sync; mkdir -p /mnt/ram; mount -t tmpfs none /mnt/ram; echo good >/mnt/ram/value";
const startProgram = "(trap '' HUP; exec sleep 86400) >/dev/null 2>&1 & echo $!";
const readBoth = "cat /root/file /mnt/ram/value | tr '\\n' ' '";
/** What makes a guest itself: host name, machine id, host key, MAC. */
const readIdentity =
  "hostname; cat /etc/machine-id; md5sum </etc/dropbear/dropbear_ed25519_host_key; cat /sys/class/net/eth0/address";

async function makeVm(stack: Stack): Promise<Vm> {
  await stack.api("POST", "/api/ssh-keys", { name: "tests", publicKey: ssh.publicKey });
  const body = { name: "lab", image: "mini", size: "nano", sshKeys: ["tests"] };
  const { body: vm } = await stack.api<Vm>("POST", "/api/vms?wait=ready", body);
  expect(vm.isReady, JSON.stringify(vm)).toBe(true);
  return vm;
}

async function takeSnapshot(page: Page, name: string, { withMemory }: { withMemory: boolean }): Promise<void> {
  await page.getByRole("button", { name: "Take snapshot" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText(/they are on the disk already|takes no room of its own/)).toBeVisible();
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  if (withMemory) await dialog.getByLabel("With memory").check();
  await dialog.getByRole("button", { name: "Take snapshot" }).click();
  const restore = page.getByRole("button", { name: `Restore lab to ${name}` });
  // It is there when it can be used: a button that can't be says so.
  await expect(restore).not.toHaveAttribute("aria-disabled", { timeout: slowMs });
}

test("snapshots: disk and memory come back, a new VM has its own identity, the middle one of three can go", async ({
  page,
  stack,
}) => {
  const vm = await makeVm(stack);
  const inGuest = (command: string) => ssh.run(vm.ssh.command, command);
  await signIn(page, stack);
  let programPid = "";

  await test.step("take one with memory, and see what it held and how long the guest stood still", async () => {
    await inGuest(keep);
    programPid = await inGuest(startProgram);
    await page.goto(`${stack.url}/vms/${vm.id}/snapshots`);
    await expect(page.getByText("No snapshots yet")).toBeVisible();
    await takeSnapshot(page, "first", { withMemory: true });
    const row = page.getByRole("row", { name: /^first/ });
    await expect(row).toContainText("Disk and memory");
    await expect(row).toContainText(/\d ms/);
    await expect(page.getByRole("row", { name: /^Now/ })).toContainText("“first”");
    expect(await inGuest(readBoth)).toBe("good good ");
  });

  await test.step("change a file and memory, restore: both are back, and the clock is right", async () => {
    await inGuest(`echo bad >/root/file; echo bad >/mnt/ram/value; kill ${programPid}; sync`);
    await page.getByRole("button", { name: "Restore lab to first" }).click();
    const dialog = page.getByRole("alertdialog");
    await expect(dialog.getByRole("checkbox", { name: /First take a snapshot/ })).toBeChecked();
    await dialog.getByRole("button", { name: "Restore lab" }).click();
    await expect(page.getByText("Before a restore", { exact: true })).toBeVisible({ timeout: slowMs });
    await expect.poll(() => inGuest(readBoth).catch(() => ""), { timeout: slowMs }).toBe("good good ");
    expect(await inGuest(`kill -0 ${programPid} && echo runs`)).toBe("runs");
    const clockErrorS = async () => Math.abs(Number(await inGuest("date +%s")) - Date.now() / 1000);
    await expect.poll(clockErrorS).toBeLessThan(5);
    await expect(page.getByText("Running", { exact: true }).first()).toBeVisible();
  });

  await test.step("make a new VM from it: the file is there, all else is its own", async () => {
    await page.getByRole("button", { name: "New VM from first" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByLabel("tests")).toBeChecked();
    await expect(dialog.getByLabel("Name")).toHaveValue("lab-2");
    await dialog.getByRole("button", { name: "Create VM" }).click();
    await expect(page.getByRole("heading", { name: "lab-2", level: 1 })).toBeVisible();
    await expect(page.getByText("SSH answers").first()).toBeVisible({ timeout: slowMs });
    const { body } = await stack.api<{ items: Vm[] }>("GET", "/api/vms?search=lab-2");
    const copy = body.items[0];
    expect(copy?.ipv4).not.toBe(vm.ipv4);
    const inCopy = (command: string) => ssh.run(copy?.ssh.command ?? "", command);
    await expect.poll(() => inCopy("cat /root/file").catch(() => ""), { timeout: slowMs }).toBe("good");
    const [own, original] = [await inCopy(readIdentity), await inGuest(readIdentity)].map((text) => text.split("\n"));
    expect(own?.[0]).toBe("lab-2");
    expect(own).toHaveLength(4);
    for (const [index, value] of own?.entries() ?? []) expect(value).not.toBe(original?.[index]);
  });

  await test.step("what came from what: the VM leads to its snapshot, and the snapshot to its VM", async () => {
    const madeFrom = page.getByRole("definition").filter({ hasText: "first, a snapshot of lab" });
    await madeFrom.getByRole("link", { name: "first" }).click();
    const row = page.getByRole("row", { name: /^first/ });
    await expect(row).toContainText("1 VM made from it");
    await row.getByRole("link", { name: "lab-2" }).click();
    await expect(page.getByRole("heading", { name: "lab-2", level: 1 })).toBeVisible();
  });

  await test.step("delete the middle one of three: the others are whole", async () => {
    await page.goto(`${stack.url}/vms/${vm.id}/snapshots`);
    await inGuest("echo second >/root/file; sync");
    await takeSnapshot(page, "second", { withMemory: false });
    await inGuest("echo third >/root/file; sync");
    await takeSnapshot(page, "third", { withMemory: false });
    await page.getByRole("button", { name: "More for second" }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete snapshot" }).click();
    await expect(page.getByRole("row", { name: /second/ })).toHaveCount(0, { timeout: slowMs });
    await page.getByRole("button", { name: "Restore lab to third" }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByRole("checkbox", { name: /First take a snapshot/ }).uncheck();
    const bootId = await inGuest("cat /proc/sys/kernel/random/boot_id");
    await dialog.getByRole("button", { name: "Restore lab" }).click();
    const isRestored = () => inGuest("cat /root/file /proc/sys/kernel/random/boot_id").catch(() => bootId);
    await expect.poll(isRestored, { timeout: slowMs }).toMatch(new RegExp(`^third\\n(?!${bootId})`));
  });

  await test.step("go back to memory of before that boot: it goes on, and is ready", async () => {
    await page.getByRole("button", { name: "Restore lab to first" }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByRole("checkbox", { name: /First take a snapshot/ }).uncheck();
    await dialog.getByRole("button", { name: "Restore lab" }).click();
    await expect.poll(() => inGuest(readBoth).catch(() => ""), { timeout: slowMs }).toBe("good good ");
    expect(await inGuest(`kill -0 ${programPid} && echo runs`)).toBe("runs");
    await page.goto(`${stack.url}/vms/${vm.id}`);
    await expect(page.getByText("SSH answers").first()).toBeVisible();
    await expect(page.getByText("Starting the machine")).toHaveCount(0);
  });

  await test.step("the doctor finds nothing", async () => {
    const { dataDir, runDir } = stack.settings;
    const { stdout } = await execa("node", [`${projectDir}/dist/doctor.js`], {
      env: { CUMULUS_DATA_DIR: dataDir, CUMULUS_RUN_DIR: runDir },
    });
    expect(stdout).toContain("No disagreement");
  });
});
