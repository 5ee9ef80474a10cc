import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, type Page } from "@playwright/test";
import { execa } from "execa";
import type { Host } from "../../lib/domain/host";
import type { Vm } from "../../lib/domain/vm";
import { pathsOf } from "../../lib/env";
import { type ImageMirror, startImageMirror } from "../imageMirror";
import { type Stack, startStack, until } from "../stack";
import { signIn, test } from "./fixtures";

const published = "https://cloud-images.ubuntu.com/releases/24.04/release/ubuntu-24.04-server-cloudimg-amd64.img";
const MiB = 1024 ** 2;
const bootMs = 180_000;

/** The built-in image of a stack, packed so that its file is another one. */
async function repackedMini(stack: Stack): Promise<Buffer> {
  const { images } = pathsOf(stack.settings);
  const [name = ""] = (await readdir(images)).filter((file) => file.endsWith(".qcow2"));
  const folder = await mkdtemp(join(tmpdir(), "mirror-"));
  try {
    const file = join(folder, "mini.qcow2");
    await execa("qemu-img", ["convert", "-c", "-f", "qcow2", "-O", "qcow2", join(images, name), file]);
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function createVmFromHere(page: Page, name: string): Promise<void> {
  await page.getByRole("link", { name: "Create a VM" }).click();
  await page.getByLabel("Host name").fill(name);
  await page.getByRole("button", { name: "Create VM" }).click();
  await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
}

test("a catalogue image comes over a connection that is cut and an agent that is killed, and a VM starts from it", async ({
  page,
}) => {
  const stack = await startStack({ startsParts: false });
  let mirror: ImageMirror | undefined;
  try {
    mirror = await startImageMirror(published, await repackedMini(stack));
    const env = { CUMULUS_IMAGE_MIRROR: mirror.url };
    await Promise.all([stack.startPostgres(), stack.startAgent(env)]);
    await stack.startConsole(env);
    await addOverCuts(page, stack, mirror, () => stack.startAgent(env));
    await page.getByRole("link", { name: "Here already" }).click();
    await expect(page.getByRole("heading", { name: /Ubuntu 24.04/, level: 1 })).toBeVisible();
    await createVmFromHere(page, "from-catalogue");
    const { body } = await stack.api<{ items: Vm[] }>("GET", "/api/vms");
    expect(body.items).toMatchObject([{ name: "from-catalogue", image: { name: "ubuntu-24.04" } }]);
    const isReady = async () => (await stack.api<Vm>("GET", `/api/vms/${body.items[0]?.id}`)).body.isReady;
    await until("its SSH answers", isReady, bootMs);
    await expect(page.getByText("Running", { exact: true }).first()).toBeVisible();
  } finally {
    await stack.stop();
    await mirror?.close();
  }
});

async function addOverCuts(page: Page, stack: Stack, mirror: ImageMirror, startAgent: () => Promise<void>) {
  await signIn(page, stack);
  await page.goto(`${stack.url}/images/add`);
  await page.getByRole("searchbox", { name: "Search the catalogue" }).fill("ubuntu_24.04 x86_64");
  const row = page.getByRole("list", { name: "Catalogue" }).getByRole("listitem");
  await expect(row).toHaveCount(1);
  const progress = row.getByRole("progressbar");

  await test.step("begin, and cancel", async () => {
    await row.getByRole("button", { name: /^Add/ }).click();
    await expect(row).toContainText(/MiB of .+ left/);
    await row.getByRole("button", { name: /^Cancel/ }).click();
    await expect(row.getByRole("button", { name: /^Add/ })).toBeVisible();
    await expect(progress).toHaveCount(0);
  });

  await test.step("begin again, with bytes, rate and time left", async () => {
    mirror.breakAfter(2 * MiB);
    await row.getByRole("button", { name: /^Add/ }).click();
    await expect(row).toContainText(/[KM]iB of .+ [KM]iB\/s, .+ left/);
    await expect(progress).toHaveAttribute("aria-valuenow", /[1-9]/);
  });

  await test.step("go on where the connection was cut", async () => {
    const asked = mirror.startBytes.length;
    mirror.cut();
    await until("it asks again, from where it was", () => mirror.startBytes.slice(asked).some((start) => start > 0));
    mirror.mend();
  });

  await test.step("go on where the agent was killed", async () => {
    const asked = mirror.startBytes.length;
    await stack.kill("agent");
    await startAgent();
    await until("the new agent asks", () => mirror.startBytes.slice(asked).some((start) => start > 0), 60_000);
  });

  await expect(row.getByRole("link", { name: "Here already" })).toBeVisible({ timeout: 120_000 });
}

test("the catalogue shows what the host runs at full speed until another architecture is chosen, which stays chosen", async ({
  page,
  fakeStack,
}) => {
  await signIn(page, fakeStack);
  const { body: host } = await fakeStack.api<Host>("GET", "/api/host");
  const own = host.report?.arch ?? "";
  const other = own === "x86_64" ? "aarch64" : "x86_64";
  await page.goto(`${fakeStack.url}/images/add`);
  const rows = page.getByRole("list", { name: "Catalogue" }).getByRole("listitem");
  await expect(rows.first()).toContainText(own);
  await expect(page.getByRole("radio", { name: own })).toBeChecked();
  await expect(rows.filter({ hasText: other })).toHaveCount(0);
  await page.getByRole("searchbox", { name: "Search the catalogue" }).fill(`ubuntu_24.04 ${other}`);
  await page.getByRole("button", { name: "Show 1 of another" }).click();
  await expect(rows).toHaveCount(1);
  await page.getByRole("radio", { name: other }).check();
  await page.getByRole("radio", { name: "Address" }).click();
  await expect(rows).toHaveCount(0);
  await page.getByRole("radio", { name: "Catalogue" }).click();
  await expect(page.getByRole("radio", { name: other })).toBeChecked();
  await expect(rows.first()).toContainText(other);
  await expect(rows.filter({ hasText: own })).toHaveCount(0);
});
