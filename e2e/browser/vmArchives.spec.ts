import { expect, type Page } from "@playwright/test";
import { archivedVm, bytesOf, tarOf } from "../../lib/archives/testing/tar";
import type { Network } from "../../lib/domain/network";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { createSshClient } from "../sshClient";
import { MiB, qcow2 } from "../testDisk";
import { signIn, test } from "./fixtures";

/** A boot, or a disk written and read, on a machine that is loaded. */
const slowMs = 120_000;

const fakeArchive = { name: "web-9.tar", mimeType: "application/x-tar", buffer: Buffer.from("hello ".repeat(500)) };

async function openImport(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByRole("link", { name: "Import a VM" }).first().click();
  await expect(page.getByRole("heading", { name: "Import a VM" })).toBeVisible();
}

test("a whole VM is exported and downloaded, and imported under another name: the key still opens it, and the file is there", async ({
  page,
  stack,
}) => {
  const ssh = await createSshClient();
  try {
    const ask = { name: "carried", image: "mini", size: "nano", sshKeys: [ssh.publicKey] };
    const { body: vm } = await stack.api<Vm>("POST", "/api/vms?wait=ready", ask);
    await ssh.run(vm.ssh.command, "echo good >/root/file; sync");
    await signIn(page, stack);
    const archive = test.info().outputPath("carried.tar");

    await test.step("export it", async () => {
      await page.goto(`${stack.url}/vms/${vm.id}`);
      await page.getByRole("button", { name: "More for carried" }).click();
      await page.getByRole("menuitem", { name: "Export…" }).click();
      const dialog = page.getByRole("dialog");
      await expect(dialog.getByRole("radio", { name: /Whole VM/ })).toBeChecked();
      await dialog.getByRole("button", { name: "Export" }).click();
      const link = dialog.getByRole("link", { name: "Download" });
      await expect(link).toBeVisible({ timeout: slowMs });
      const downloading = page.waitForEvent("download");
      await link.click();
      const download = await downloading;
      expect(download.suggestedFilename()).toBe("carried.tar");
      await download.saveAs(archive);
    });

    await test.step("import it", async () => {
      await openImport(page, stack.url);
      await page.getByLabel("Archive of a VM").setInputFiles(archive);
      const name = page.getByLabel("Host name");
      await expect(name).toHaveValue("carried");
      await expect(page.getByText("Another VM has this name.")).toBeVisible();
      await name.fill("carried-2");
      await page.getByRole("button", { name: "Import VM" }).click();
      await expect(page.getByRole("heading", { name: "carried-2", level: 1 })).toBeVisible({ timeout: slowMs });
      await expect(page.getByText("SSH answers").first()).toBeVisible({ timeout: slowMs });
    });

    const { body } = await stack.api<{ items: Vm[] }>("GET", "/api/vms?search=carried-2");
    const again = body.items[0];
    expect(again).toMatchObject({ size: vm.size, sshKeys: vm.sshKeys });
    await expect
      .poll(() => ssh.run(again?.ssh.command ?? "", "hostname; cat /root/file").catch(() => ""), { timeout: slowMs })
      .toBe("carried-2\ngood");
  } finally {
    await ssh.remove();
  }
});

test("an import says what is missing, and why a file is no VM; the form stays as it was", async ({
  page,
  fakeStack,
}) => {
  await signIn(page, fakeStack);
  await openImport(page, fakeStack.url);
  const send = page.getByRole("button", { name: "Import VM" });
  await send.click();
  await expect(page.getByText("Choose a file.")).toBeVisible();
  await page.getByLabel("Archive of a VM").setInputFiles(fakeArchive);
  await expect(page.getByLabel("Host name")).toHaveValue("web-9");
  await page.getByLabel("Host name").fill("Web_9");
  await expect(page.getByText(/Use 1–63 lower-case letters/)).toBeVisible();
  await page.getByLabel("Host name").fill("web-9");
  await send.click();
  await expect(page.getByText(/This file can't be imported as a VM: it is no tar archive/)).toBeVisible();
  await expect(page.getByLabel("Host name")).toHaveValue("web-9");
  await expect(page.getByText("web-9.tar")).toBeVisible();
});

test("an import into another network; one that is gone is told at the field", async ({ page, fakeStack }) => {
  await signIn(page, fakeStack);
  const makeNetwork = async (name: string, cidr: string) =>
    (await fakeStack.api<Network>("POST", "/api/networks", { name, cidr })).body;
  const [wing, attic] = [await makeNetwork("wing", "10.62.0.0/24"), await makeNetwork("attic", "10.63.0.0/24")];
  await openImport(page, fakeStack.url);
  const said = { name: "vm.json", content: JSON.stringify({ ...archivedVm, network: "wing" }) };
  const buffer = await bytesOf(tarOf([said, { name: "disk.qcow2", content: await qcow2(MiB) }]));
  await page.getByLabel("Archive of a VM").setInputFiles({ ...fakeArchive, name: "moves.tar", buffer });
  const network = page.getByRole("combobox", { name: "Network" });
  await expect(network.getByRole("option", { selected: true })).toHaveText(/^default /);
  await network.selectOption("attic (10.63.0.0/24)");
  await fakeStack.api("DELETE", `/api/networks/${attic.id}`);
  await page.getByRole("button", { name: "Import VM" }).click();
  await expect(network).toHaveAccessibleDescription(/There is no network attic\./);
  await expect(network.getByRole("option", { selected: true })).toHaveText("attic, which is gone");
  await network.selectOption("default");
  await page.getByRole("button", { name: "Import VM" }).click();
  await expect(page.getByRole("heading", { name: "moves", level: 1 })).toBeVisible({ timeout: slowMs });
  const { body } = await fakeStack.api<{ items: Vm[] }>("GET", "/api/vms?search=moves");
  expect(body.items).toMatchObject([{ name: "moves", network: { name: "default" } }]);
  await fakeStack.api("DELETE", `/api/networks/${wing.id}`);
});

test("while an archive is sent, it stays the one that was chosen, and leaving the page asks first", async ({
  page,
  fakeStack,
}) => {
  await signIn(page, fakeStack);
  let sent = 0;
  // Nobody takes it: it is on its way until it is cancelled.
  await page.route("**/api/vms/import*", () => {
    sent += 1;
  });
  await openImport(page, fakeStack.url);
  await page.getByLabel("Archive of a VM").setInputFiles(fakeArchive);
  await page.getByRole("button", { name: "Import VM" }).click();
  const cancel = page.getByRole("button", { name: "Cancel upload" });
  await expect(cancel).toBeVisible();
  await expect(page.getByLabel("Host name")).toBeDisabled();
  await expect(page.getByLabel("Archive of a VM")).toBeDisabled();
  const leave = page.getByRole("navigation").getByRole("link", { name: "Images" }).first();
  await leave.click();
  const dialog = page.getByRole("alertdialog", { name: "End the upload?" });
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(cancel).toBeVisible();
  await leave.click();
  await dialog.getByRole("button", { name: "End it and leave" }).click();
  await expect(page).toHaveURL(`${fakeStack.url}/images`);
  expect(sent).toBe(1);
});

test("while the host works on an archive, its progress stays, and nothing else can be imported", async ({
  page,
  fakeStack,
}) => {
  await signIn(page, fakeStack);
  const operation: Operation = {
    ...{ id: 999_999, kind: "import", status: "running", progress: 85, message: "unpacks the archive", error: null },
    ...{ vm: null, subject: "web-9", transfer: null, result: null, isTask: true, actor: "admin" },
    ...{ createdAt: new Date().toISOString(), startedAt: new Date().toISOString(), finishedAt: null },
  };
  await page.route("**/api/vms/import*", (route) => route.fulfill({ status: 202, json: operation }));
  await page.route(`**/api/operations/${operation.id}`, (route) => route.fulfill({ json: operation }));
  await openImport(page, fakeStack.url);
  await page.getByLabel("Archive of a VM").setInputFiles(fakeArchive);
  await page.getByRole("button", { name: "Import VM" }).click();
  await expect(page.getByText(/unpacks the archive/i).first()).toBeVisible();
  await expect(page.getByLabel("Host name")).toBeDisabled();
  await expect(page.getByLabel("Archive of a VM")).toBeDisabled();
  await expect(page.getByRole("button", { name: "Suggest another name" })).toHaveAttribute("aria-disabled", "true");
  await expect(page.getByRole("button", { name: /Cancel/ })).toBeVisible();
});
