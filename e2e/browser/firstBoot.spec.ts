import { expect } from "@playwright/test";
import type { Vm } from "../../lib/domain/vm";
import { createSshClient } from "../sshClient";
import { signIn, test } from "./fixtures";

/** A boot on a machine that is loaded. */
const bootMs = 180_000;

test("a system is installed from an ISO: it boots from the disc by the firmware that was chosen, then from its disk", async ({
  page,
  fakeStack,
}) => {
  await signIn(page, fakeStack);
  await page.goto(`${fakeStack.url}/images`);
  await page.getByRole("link", { name: "Install a VM from Installer CD" }).click();

  await test.step("create it with UEFI", async () => {
    await expect(page.getByRole("radio", { name: /^Installer CD/ })).toBeChecked();
    await page.getByLabel("Host name").fill("by-hand");
    await page.getByText("Advanced", { exact: true }).click();
    const firmware = page.getByRole("group", { name: "Firmware" });
    await expect(firmware.getByRole("radio", { name: "BIOS" })).toBeChecked();
    await firmware.getByRole("radio", { name: "UEFI" }).check();
    await page.getByRole("button", { name: "Create VM" }).click();
    await expect(page.getByRole("heading", { name: "by-hand", level: 1 })).toBeVisible();
    await expect(page.getByText("Running", { exact: true }).first()).toBeVisible();
  });

  await page.getByRole("link", { name: "Settings", exact: true }).last().click();
  await expect(page.getByRole("heading", { name: "CD-ROM" })).toBeVisible();
  const order = page.getByRole("group", { name: "Boots from" });

  await test.step("the disc is in the drive, and what it boots from first", async () => {
    await expect(page.getByText("Installer CD is in the drive.")).toBeVisible();
    await expect(order.getByRole("radio", { name: "CD-ROM first" })).toBeChecked();
  });

  await test.step("eject it, and boot from the disk", async () => {
    await page.getByRole("button", { name: "Eject" }).click();
    await expect(page.getByText("The drive is empty.")).toBeVisible();
    await order.getByRole("radio", { name: "Disk first" }).click();
    await expect(order.getByRole("radio", { name: "Disk first" })).toBeChecked();
  });

  await test.step("put it in again", async () => {
    await page.getByLabel("ISO image").selectOption("Installer CD");
    await page.getByRole("button", { name: "Insert" }).click();
    await expect(page.getByText("Installer CD is in the drive.")).toBeVisible();
  });

  const { body } = await fakeStack.api<{ items: Vm[] }>("GET", "/api/vms?search=by-hand");
  expect(body.items).toMatchObject([{ firmware: "uefi", bootFrom: "disk", cdrom: { name: "installer" } }]);
  const seen = await fakeStack.agent.observe(body.items[0]?.id ?? 0);
  expect(seen).toMatchObject({ state: "running", cdromSha256: "1".repeat(64) });
});

test("a first boot makes what the form asks for, shows before what the guest gets, and says what failed", async ({
  page,
  stack,
}) => {
  const ssh = await createSshClient();
  try {
    await stack.api("POST", "/api/user-data-templates", {
      ...{ name: "fails in part", userData: "#cloud-config\nruncmd: [exit 3]\n" },
    });
    await signIn(page, stack);
    await page.goto(`${stack.url}/vms/new?image=mini`);
    await page.getByLabel("Host name").fill("first-boot");
    await page.getByText("Advanced", { exact: true }).click();

    await test.step("users, time zone, packages, files", async () => {
      await page.getByRole("button", { name: "Add a user" }).click();
      const user = page.getByRole("group", { name: "User 1" });
      await user.getByLabel("SSH keys").fill(ssh.publicKey);
      await user.getByRole("textbox", { name: "Password" }).fill("open sesame");
      await user.getByLabel("May become root by sudo").check();
      await page.getByLabel("Time zone").fill("Asia/Kathmandu");
      await page.getByRole("textbox", { name: "Packages" }).fill("htop");
      await page.getByRole("button", { name: "Add a file" }).click();
      const file = page.getByRole("group", { name: "File 1" });
      await file.getByLabel("Path").fill("/etc/greeting");
      await file.getByLabel("Content").fill("namaste\n");
      await page.getByRole("button", { name: "Add a file" }).click();
      const chosen = page.getByRole("group", { name: "File 2" });
      const logo = { name: "logo", mimeType: "application/octet-stream", buffer: Buffer.from([0, 255, 10]) };
      await chosen.getByLabel("Choose a file").setInputFiles(logo);
      await expect(chosen.getByLabel("Content")).toHaveText("binary, 3 B");
      await chosen.getByLabel("Path").fill("/srv/logo");
    });

    const userData = page.getByLabel("User data", { exact: true });
    await test.step("user data that is none is told with its line, and not taken", async () => {
      await userData.fill("#cloud-config\nruncmd: [\n");
      await expect(page.getByRole("button", { name: /^Line \d+:/ })).toBeVisible();
      await page.getByRole("button", { name: "Create VM" }).click();
      // The first thing that is wrong: the user has no name.
      await expect(page.getByRole("group", { name: "User 1" }).getByLabel("Name")).toBeFocused();
      await page.getByRole("group", { name: "User 1" }).getByLabel("Name").fill("ada");
      await page.getByRole("button", { name: "Create VM" }).click();
      await expect(userData).toHaveAttribute("aria-invalid", "true");
      await expect(page).toHaveURL(/\/vms\/new/);
    });

    await test.step("a key that cloud-init doesn't have is told with its line, and taken", async () => {
      await userData.fill("#cloud-config\npackges: [nginx]\n");
      await expect(page.getByText("This can be read.")).toBeVisible();
      await expect(page.getByRole("listitem").filter({ hasText: 'no key "packges"' })).toBeVisible();
      await page.getByRole("button", { name: "Line 2:" }).click();
      await expect(userData).toBeFocused();
    });

    await test.step("a saved template, and all of it merged, without passwords", async () => {
      await page.getByLabel("Template").selectOption("fails in part");
      await expect(page.getByText("This can be read.")).toBeVisible();
      await page.getByText("What the guest gets, with Cumulus' own part").click();
      const merged = page.getByRole("region", { name: "merged user data" });
      for (const text of ["name: ada", "Asia/Kathmandu", "htop", "exit 3"]) await expect(merged).toContainText(text);
      await expect(merged).not.toContainText("open sesame");
      await expect(page.getByRole("region", { name: "curl command" })).not.toContainText("open sesame");
    });

    await page.getByRole("button", { name: "Create VM" }).click();
    await expect(page.getByRole("heading", { name: "first-boot", level: 1 })).toBeVisible();

    await test.step("it is ready with errors, and the timeline has the module with its lines", async () => {
      await expect(page.getByText("ready with errors", { exact: true })).toBeVisible({ timeout: bootMs });
      await page.getByText("runcmd failed", { exact: true }).click();
      await expect(page.getByText(/^exit status 3/)).toBeVisible();
      await expect(page.getByText("packages complained", { exact: true })).toBeVisible();
    });

    await test.step("the user whom it made logs in, in that time zone, with that file, and becomes root", async () => {
      const { body } = await stack.api<{ items: Vm[] }>("GET", "/api/vms?search=first-boot");
      const command = body.items[0]?.ssh.command.replace("root@", "ada@") ?? "";
      expect(
        await ssh.run(command, "id -un; date +%z; cat /etc/greeting; base64 /srv/logo; hostname; sudo -n id -un"),
      ).toBe("ada\n+0545\nnamaste\nAP8K\nfirst-boot\nroot");
    });
  } finally {
    await ssh.remove();
  }
});
