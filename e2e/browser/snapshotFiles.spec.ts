import { mkdir, readFile, symlink } from "node:fs/promises";
import { expect } from "@playwright/test";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { pathsOf } from "../../lib/env";
import { testAppliance } from "../../lib/images/testing/appliance";
import { createSshClient } from "../sshClient";
import { startStack, until } from "../stack";
import { signIn, test } from "./fixtures";

/** A disk that is opened for the first time, by an emulated machine on a computer that is loaded. */
const openMs = 300_000;

test("a file of a snapshot is found by clicks and downloaded, though the VM has it no longer", async ({ page }) => {
  test.setTimeout(900_000);
  const ssh = await createSshClient();
  const stack = await startStack({ startsParts: false });
  try {
    await mkdir(testAppliance, { recursive: true });
    await symlink(testAppliance, pathsOf(stack.settings).appliance);
    await Promise.all([stack.startPostgres(), stack.startAgent()]);
    await stack.startConsole();
    const { body: vm } = await stack.api<Vm>("POST", "/api/vms?wait=ready", {
      ...{ name: "keeper", image: "mini", size: "nano", sshKeys: [ssh.publicKey] },
    });
    expect(vm.isReady, JSON.stringify(vm)).toBe(true);
    await ssh.run(vm.ssh.command, "mkdir /srv/kept; echo once and for all >'/srv/kept/a letter.txt'; sync");
    let { body: taken } = await stack.api<Operation>("POST", `/api/vms/${vm.id}/snapshots`, { name: "letters" });
    await until("the snapshot is there", async () => {
      taken = (await stack.api<Operation>("GET", `/api/operations/${taken.id}`)).body;
      return taken.finishedAt !== null;
    });
    expect(taken).toMatchObject({ status: "done", error: null });
    await ssh.run(vm.ssh.command, "rm -r /srv/kept; sync");

    await signIn(page, stack);
    await page.goto(`${stack.url}/snapshots/${taken.result?.snapshotId}/files`);
    await expect(page.getByRole("heading", { name: "Files of letters", level: 1 })).toBeVisible();
    const files = (folder: string) => page.getByRole("table", { name: `Files in ${folder}`, exact: true });
    await files("/").getByRole("link", { name: "srv", exact: true }).click({ timeout: openMs });
    await files("/srv").getByRole("link", { name: "kept" }).click();
    const started = page.waitForEvent("download");
    await files("/srv/kept").getByRole("link", { name: "a letter.txt" }).click();
    const download = await started;
    expect(download.suggestedFilename()).toBe("a letter.txt");
    expect(await readFile(await download.path(), "utf8")).toBe("once and for all\n");
    await page.getByRole("navigation", { name: "Folders" }).getByRole("link", { name: "srv" }).click();
    await expect(files("/srv")).toBeVisible();
  } finally {
    await stack.stop();
    await ssh.remove();
  }
});
