import { expect } from "@playwright/test";
import { execa } from "execa";
import { projectDir } from "../../lib/paths";
import { createSshClient, type SshClient } from "../sshClient";
import { signIn, test } from "./fixtures";

let ssh: SshClient;
test.beforeAll(async () => {
  ssh = await createSshClient();
});
test.afterAll(() => ssh?.remove());

const userData = `#cloud-config
chpasswd:
  expire: false
  users:
    - {name: root, password: open-sesame, type: text}
`;

test("the main job: sign in, create, watch it become ready, type on its screen, ssh, reboot, stop, start, destroy", async ({
  page,
  newStack: stack,
}) => {
  const bootMs = 90_000;

  await test.step("sign in by the first-run link and set a password", async () => {
    await signIn(page, stack, { fresh: true });
    await expect(page.getByRole("heading", { name: "You are in" })).toBeVisible();
    await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
    await page.getByRole("button", { name: "Set password and go on" }).click();
    await expect(page.getByText("No virtual machines yet")).toBeVisible();
  });

  await test.step("create a VM with one's key", async () => {
    await page
      .getByRole("link", { name: /Create/ })
      .first()
      .click();
    await page.getByRole("radio", { name: /nano/ }).click();
    await page.getByRole("button", { name: "Paste one for this VM alone" }).click();
    await page.getByLabel("Public keys for this VM alone").fill(ssh.publicKey);
    await page.getByLabel("Host name").fill("first");
    await page.getByText("Advanced", { exact: true }).click();
    await page.getByLabel("User data", { exact: true }).fill(userData);
    await page.getByRole("button", { name: "Create VM" }).click();
    await expect(page.getByRole("heading", { name: "first", level: 1 })).toBeVisible();
  });

  await test.step("watch the timeline reach ready", async () => {
    await expect(page.getByText("Running", { exact: true }).first()).toBeVisible({ timeout: bootMs });
    await expect(page.getByText("SSH answers", { exact: false }).first()).toBeVisible({ timeout: bootMs });
  });

  const commandLine = (await stack.api<{ ssh: { command: string } }>("GET", "/api/vms/1")).body.ssh.command;
  const inGuest = (command: string) => ssh.run(commandLine, command);

  await test.step("type on its screen and see it change", async () => {
    await page.getByRole("link", { name: "Console", exact: true }).click();
    const console = page.getByRole("region", { name: "Console of first" });
    await expect(console.getByRole("status")).toContainText("Connected");
    const screen = console.locator("canvas");
    // What is typed before a program asks for it is dropped: asleep in the terminal's read, it has asked.
    const asks = (program: string) =>
      expect
        .poll(() => inGuest(`cat /proc/$(ps | awk '/${program}/ {print $1}')/wchan`).catch(() => ""))
        .toBe("wait_woken");
    await asks("[g]etty.*tty1");
    const before = await screen.screenshot();
    await screen.click();
    await page.keyboard.type("root\n", { delay: 60 });
    await expect.poll(async () => (await screen.screenshot()).equals(before)).toBe(false);
    const paste = async (text: string) => {
      await console.getByRole("button", { name: "Paste text" }).click();
      await page.getByLabel("Text to type").fill(text);
      await page.getByRole("button", { name: /^Type/ }).click();
    };
    await asks("[l]ogin -- root");
    await paste("open-sesame\n");
    await expect.poll(() => inGuest("ps | grep -cE '[-](ba)?sh$'").catch(() => "0")).not.toBe("0");
    await paste("echo 'typed by hand' > /root/typed\n");
    await expect.poll(() => inGuest("cat /root/typed").catch(() => ""), { timeout: 60_000 }).toBe("typed by hand");
  });

  await test.step("ssh in with a real client, by the line that the page shows", async () => {
    await page.getByRole("link", { name: "Overview" }).click();
    await expect(page.getByText(commandLine).first()).toBeVisible();
    expect(await inGuest("hostname; whoami")).toBe("first\nroot");
  });

  await test.step("reboot", async () => {
    const bootId = await inGuest("cat /proc/sys/kernel/random/boot_id");
    await page.getByRole("button", { name: "Reboot" }).click();
    const presentBootId = () => inGuest("cat /proc/sys/kernel/random/boot_id").catch(() => bootId);
    await expect.poll(presentBootId, { timeout: bootMs }).not.toBe(bootId);
  });

  await test.step("stop: the console says that it is off, and starts it", async () => {
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await expect(page.getByText("Stopped", { exact: true }).first()).toBeVisible();
    await page.getByRole("link", { name: "Console", exact: true }).click();
    const console = page.getByRole("region", { name: "Console of first" });
    await console.getByRole("button", { name: /Start/ }).click();
    await expect(console.getByRole("status")).toContainText("Connected");
    await expect.poll(() => inGuest("cat /root/typed").catch(() => ""), { timeout: bootMs }).toBe("typed by hand");
  });

  await test.step("destroy: it asks, names what is lost, and nothing is left", async () => {
    await page.getByRole("link", { name: "Settings", exact: true }).last().click();
    await page.getByRole("button", { name: /^Destroy/ }).click();
    const dialog = page.getByRole("alertdialog");
    await expect(dialog).toContainText("disk");
    await dialog.getByRole("button", { name: "Destroy first" }).click();
    await expect(page.getByText("No virtual machines yet")).toBeVisible();
    await expect.poll(async () => (await stack.api("GET", "/api/vms/1")).status).toBe(404);
  });

  await test.step("the doctor finds nothing", async () => {
    const { dataDir, runDir } = stack.settings;
    const { stdout } = await execa("node", [`${projectDir}/dist/doctor.js`], {
      env: { CUMULUS_DATA_DIR: dataDir, CUMULUS_RUN_DIR: runDir },
    });
    expect(stdout).toContain("No disagreement");
  });
});
