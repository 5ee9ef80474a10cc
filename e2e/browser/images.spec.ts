import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { execa } from "execa";
import type { Vm } from "../../lib/domain/vm";
import { signIn, test } from "./fixtures";

test("a file from one's own disk becomes an image, which comes back as that file", async ({ page, fakeStack }) => {
  await signIn(page, fakeStack);
  const folder = await mkdtemp(join(tmpdir(), "upload-"));
  try {
    const file = join(folder, "My disk.x86_64.qcow2");
    await execa("qemu-img", ["create", "-q", "-f", "qcow2", file, "64M"]);
    await page.goto(`${fakeStack.url}/images/add?from=upload`);
    await page.getByLabel("Image file").setInputFiles(file);
    await expect(page.getByLabel("Name", { exact: true })).toHaveValue("my-disk.x86_64");
    await page.getByRole("button", { name: "Upload image" }).click();
    await page.getByRole("link", { name: "To the image" }).click();
    await expect(page.getByRole("heading", { name: "my-disk.x86_64", level: 1 })).toBeVisible();
    const started = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download qcow2" }).click();
    const download = await started;
    expect(download.suggestedFilename()).toBe("my-disk.x86_64.qcow2");
    expect((await stat(await download.path())).size).toBe((await stat(file)).size);
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete image" }).click();
    await expect(page).toHaveURL(`${fakeStack.url}/images`);
    await expect(page.getByRole("link", { name: "my-disk.x86_64" })).toHaveCount(0);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("another way to an image asks first while a file is on its way, and sends it no second time", async ({
  page,
  fakeStack,
}) => {
  await signIn(page, fakeStack);
  let sent = 0;
  // Nobody takes it: it is on its way until it is cancelled.
  await page.route("**/api/images/upload*", () => {
    sent += 1;
  });
  await page.goto(`${fakeStack.url}/images/add?from=upload`);
  const file = { name: "disk.qcow2", mimeType: "application/octet-stream", buffer: Buffer.from("disk") };
  await page.getByLabel("Image file").setInputFiles(file);
  await page.getByRole("button", { name: "Upload image" }).click();
  await expect(page.getByRole("button", { name: "Cancel upload" })).toBeVisible();
  await expect(page.getByRole("progressbar", { name: "Upload of disk.qcow2" })).toBeVisible();
  await expect(page.getByLabel("Image file")).toBeDisabled();
  await page.getByRole("radio", { name: "Address" }).click();
  const dialog = page.getByRole("alertdialog", { name: "End the upload?" });
  await dialog.getByRole("button", { name: "End it and leave" }).click();
  await expect(page).toHaveURL(/from=url/);
  await expect(page.getByRole("button", { name: "Cancel upload" })).toHaveCount(0);
  expect(sent).toBe(1);
});

test("who wanted to leave a page that sends a file leaves it once the file is sent", async ({ page, fakeStack }) => {
  await signIn(page, fakeStack);
  let send = () => {};
  const isAsked = new Promise<void>((resolve) => {
    send = resolve;
  });
  await page.route("**/api/images/upload*", async (route) => {
    await isAsked;
    await route.fulfill({ status: 400, json: { error: { code: "bad_request", message: "It is no image." } } });
  });
  await page.goto(`${fakeStack.url}/images/add?from=upload`);
  const file = { name: "disk.qcow2", mimeType: "application/octet-stream", buffer: Buffer.from("disk") };
  await page.getByLabel("Image file").setInputFiles(file);
  await page.getByRole("button", { name: "Upload image" }).click();
  await page.getByRole("radio", { name: "Address" }).click();
  const dialog = page.getByRole("alertdialog", { name: "End the upload?" });
  await expect(dialog).toBeVisible();
  send();
  await expect(page).toHaveURL(/from=url/);
  await expect(dialog).toHaveCount(0);
});

test("an image that a VM uses says why it can't be deleted", async ({ page, fakeStack }) => {
  await signIn(page, fakeStack);
  const { body: vm } = await fakeStack.api<{ id: number; image: { id: number } }>("POST", "/api/vms?wait=ready", {
    ...{ name: "user-of-mini", image: "mini", size: "nano" },
  });
  await page.goto(`${fakeStack.url}/images/${vm.image.id}`);
  await expect(page.getByRole("link", { name: "user-of-mini" })).toBeVisible();
  const remove = page.getByRole("button", { name: "Delete" });
  await expect(remove).toHaveAttribute("aria-disabled", "true");
  await remove.focus();
  await expect(page.getByRole("tooltip").first()).toContainText(/\buser-of-mini\b.* needs? it/);
  await fakeStack.api("DELETE", `/api/vms/${vm.id}`);
  await expect(page.getByRole("link", { name: "user-of-mini" })).toHaveCount(0);
});

test("an image is made from a VM's menu and from a snapshot's, and each says first what will be copied", async ({
  page,
  fakeStack,
}) => {
  await signIn(page, fakeStack);
  const { body: vm } = await fakeStack.api<Vm>("POST", "/api/vms?wait=ready", {
    ...{ name: "master", image: "mini", size: "nano" },
  });
  const makeImage = async (more: string, expected: { name: string; says: RegExp }) => {
    await page.getByRole("button", { name: more }).click();
    await page.getByRole("menuitem", { name: "Make image…" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByLabel("Name")).toHaveValue(expected.name);
    await expect(dialog).toContainText(expected.says);
    await dialog.getByRole("button", { name: "Make image" }).click();
    await expect(page).toHaveURL(`${fakeStack.url}/images`);
    const row = page.getByRole("row", { name: new RegExp(`^${expected.name} ${expected.name} Made from`) });
    await expect(row).toBeVisible();
  };
  await page.goto(fakeStack.url);
  await makeImage("More for master", { name: "master", says: /pulling the plug/ });
  await fakeStack.api("POST", `/api/vms/${vm.id}/stop`, {});
  await page.goto(`${fakeStack.url}/vms/${vm.id}/snapshots`);
  await expect(page.getByText("Stopped", { exact: true }).first()).toBeVisible();
  await page.getByRole("button", { name: "Take snapshot" }).click();
  await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill("Set up");
  await page.getByRole("dialog").getByRole("button", { name: "Take snapshot" }).click();
  await makeImage("More for Set up", { name: "master-set-up", says: /the copy is a clean one|pulling the plug/ });
  await page.goto(`${fakeStack.url}/vms/${vm.id}`);
  // Whoever types nothing gets a newer image of the same name, and is told.
  await page.getByRole("button", { name: "More for master" }).click();
  await page.getByRole("menuitem", { name: "Make image…" }).click();
  await expect(page.getByRole("dialog")).toContainText(/It is off/);
  await expect(page.getByRole("dialog")).toContainText("There is an image of this name");
});

test("a form keeps what was filled in until the image is there, and says beside it why it is not", async ({
  page,
  fakeStack,
}) => {
  await signIn(page, fakeStack);
  const folder = await mkdtemp(join(tmpdir(), "kept-"));
  const name = page.getByLabel("Name", { exact: true });
  const title = page.getByLabel("Title");
  try {
    await page.goto(`${fakeStack.url}/images/add?from=url`);
    const address = page.getByRole("textbox", { name: "Address" });
    const download = page.getByRole("button", { name: "Download image" });
    await address.fill("http://10.0.0.1/kept.img");
    await title.fill("Kept");
    await download.click();
    // What the address itself tells is said at the field.
    await expect(page.getByText(/10\.0\.0\.1 is on this computer or a private network/)).toBeVisible();
    await expect(address).toHaveAttribute("aria-invalid", "true");
    await address.fill("http://localhost:1/kept.img");
    await download.click();
    // What its name leads to is known to the operation.
    await expect(page.getByRole("alert").filter({ hasText: "localhost is on this computer" })).toBeInViewport();
    await expect(address).toHaveValue("http://localhost:1/kept.img");
    await expect(name).toHaveValue("kept");
    await expect(title).toHaveValue("Kept");

    await writeFile(join(folder, "kept.img"), "This is a letter.\n");
    const disk = join(folder, "kept.qcow2");
    await execa("qemu-img", ["create", "-q", "-f", "qcow2", disk, "64M"]);
    await page.goto(`${fakeStack.url}/images/add?from=upload`);
    const file = page.getByLabel("Image file");
    const upload = page.getByRole("button", { name: "Upload image" });
    await file.setInputFiles(join(folder, "kept.img"));
    await title.fill("Kept");
    await upload.click();
    await expect(page.getByRole("alert").filter({ hasText: /text/ })).toBeInViewport();
    await expect(title).toHaveValue("Kept");
    await file.setInputFiles(disk);
    await upload.click();
    await expect(page.getByRole("link", { name: "To the image" }).first()).toBeVisible();
    await expect(title).toHaveValue("");
    await expect(name).toHaveValue("");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a recipe is written step by step, and a template is taken for a VM", async ({ page, fakeStack }) => {
  await signIn(page, fakeStack);
  await page.goto(`${fakeStack.url}/images/recipes/new`);
  await page.getByLabel("Title").fill("Web server");
  await page.getByLabel("Name", { exact: true }).fill("web-server");
  await page.getByRole("combobox", { name: "Step 1" }).selectOption("packages");
  await page.getByRole("button", { name: "Save recipe" }).click();
  await expect(page.getByText("it is marked above")).toBeVisible();
  await page.getByLabel("Packages").fill("nginx, curl");

  await page.getByRole("button", { name: "Add a step" }).click();
  const step = page.getByRole("group", { name: "Step 2" });
  const choose = (name: string, bytes: Buffer) =>
    step.getByLabel(/^Choose a/).setInputFiles({ name, mimeType: "application/octet-stream", buffer: bytes });
  await step.getByLabel("Path").fill("/srv/logo");
  await choose("disk.img", Buffer.alloc(300 * 1024));
  await expect(step.getByRole("alert")).toHaveText(
    "disk.img is larger than 256 KiB, the most that a file here may have.",
  );
  await choose("notes.txt", Buffer.from("grüße\n"));
  await expect(step.getByLabel("Content")).toHaveValue("grüße\n");
  await expect(step.getByRole("alert")).toHaveCount(0);
  await choose("logo", Buffer.from([0, 255]));
  await expect(step.getByLabel("Content")).toHaveText("binary, 2 B");
  await step.getByRole("button", { name: "Write text instead" }).click();
  await expect(step.getByRole("textbox", { name: "Content" })).toHaveValue("");
  await choose("logo", Buffer.from([0, 255, 10]));
  await expect(step.getByLabel("Content")).toHaveText("binary, 3 B");

  await page.getByRole("button", { name: "Save recipe" }).click();
  await expect(page.getByRole("row", { name: /Web server/ })).toContainText("2 steps");
  const { body } = await fakeStack.api<{ items: object[] }>("GET", "/api/recipes");
  expect(body.items).toMatchObject([
    {
      recipe: {
        steps: [
          { type: "packages", packages: ["nginx", "curl"] },
          { type: "file", path: "/srv/logo", content: "AP8K", encoding: "base64" },
        ],
      },
    },
  ]);

  await page.goto(`${fakeStack.url}/settings/user-data`);
  await page.getByRole("button", { name: "Add template" }).click();
  await page.getByLabel("Name", { exact: true }).fill("with htop");
  await page.getByLabel("User data", { exact: true }).fill("#cloud-config\npackages: [htop]\n");
  await page.getByRole("button", { name: "Save template" }).click();
  await expect(page.getByRole("row", { name: /with htop/ })).toBeVisible();
  await page.goto(`${fakeStack.url}/vms/new`);
  await page.getByText("Advanced", { exact: true }).click();
  await page.getByLabel("Template").selectOption("with htop");
  await expect(page.getByLabel("User data", { exact: true })).toHaveValue(/packages: \[htop\]/);
});

test("an example is saved as a recipe and run, and its task says what became of it", async ({ page, fakeStack }) => {
  await signIn(page, fakeStack);
  await page.goto(`${fakeStack.url}/images/recipes/new`);
  await page.getByLabel("Begin from an example").selectOption("A greeting at login");
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("os-cloud-welcome");
  await page.getByRole("button", { name: "Save recipe" }).click();
  await page.getByRole("link", { name: "Run A greeting at login" }).click();
  await page.getByLabel("Image to start from").selectOption("Cumulus mini, x86_64");
  await page.getByRole("button", { name: "Make image" }).click();
  const task = page.getByRole("listitem").filter({ hasText: "Apply recipe os-cloud-welcome" });
  // The fake's `mini` has no file that could be changed.
  await expect(task).toContainText("Failed");
  await expect(task).toContainText("The image that the recipe is for is not on this host");

  await page.goto(`${fakeStack.url}/images/recipes`);
  await page.getByRole("button", { name: "Delete A greeting at login" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete recipe" }).click();
  await expect(page.getByRole("link", { name: "A greeting at login", exact: true })).toHaveCount(0);
});
