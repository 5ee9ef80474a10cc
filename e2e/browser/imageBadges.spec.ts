import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { execa } from "execa";
import pg from "pg";
import { connectionConfig } from "../../lib/db/client";
import type { CatalogueItem } from "../../lib/domain/catalogueItem";
import type { Image } from "../../lib/domain/image";
import type { Operation } from "../../lib/domain/operation";
import { recipeSchema } from "../../lib/domain/recipe";
import { pathsOf } from "../../lib/env";
import { type ImageDescription, installImage } from "../../lib/images/store";
import { type ImageMirror, startImageMirror } from "../imageMirror";
import { type Stack, startStack, until } from "../stack";
import { qcow2 } from "../testDisk";
import { signIn, test } from "./fixtures";

const published = "https://cloud-images.ubuntu.com/releases/24.04/release/ubuntu-24.04-server-cloudimg-amd64.img";
const entryId = "ubuntu-24.04-x86_64";

/** An image on a stack's host, once the console knows of it. */
async function imageOf(
  stack: Stack,
  said: Pick<ImageDescription, "name"> & Partial<ImageDescription>,
  size = "64M",
): Promise<Image> {
  let sha256: string;
  const folder = await mkdtemp(join(tmpdir(), "badges-"));
  try {
    const file = join(folder, "disk.qcow2");
    await execa("qemu-img", ["create", "-q", "-f", "qcow2", file, size]);
    ({ sha256 } = await installImage(pathsOf(stack.settings), file, {
      ...{ title: said.name, description: "For a test.", arch: "x86_64", firmware: "bios", minMemoryBytes: 2 ** 27 },
      ...{ loginUser: "root", recipeHash: null, source: { type: "upload", fileName: "disk.qcow2" } },
      ...said,
    }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  let image: Image | undefined;
  await until(`${said.name} is listed`, async () => {
    const { body } = await stack.api<{ items: Image[] }>("GET", "/api/images");
    image = body.items.find((one) => one.name === said.name && one.sha256 === sha256);
    return image !== undefined;
  });
  return image as Image;
}

test("an image of another architecture is said to be emulated, and one that nobody mends has its badge, where it is chosen and on its page", async ({
  page,
}) => {
  const stack = await startStack({ hypervisor: "fake" });
  try {
    const foreign = await imageOf(stack, { name: "foreign", arch: "aarch64", firmware: "uefi" });
    const old = await imageOf(stack, { name: "old", endOfLife: "2020-01-31" });
    const mended = await imageOf(stack, { name: "mended", endOfLife: "2999-01-31" });
    await signIn(page, stack);

    await page.goto(`${stack.url}/vms/new`);
    const card = (name: string) => page.getByRole("radio", { name: new RegExp(`\\b${name}\\b`) });
    await expect(card("foreign")).toHaveAccessibleName(/aarch64, emulated/);
    await expect(card("old")).toHaveAccessibleName(/end of life/);
    await expect(card("mended")).toBeVisible();
    await expect(card("mended")).not.toHaveAccessibleName(/emulated|end of life/);

    const main = page.getByRole("main");
    await page.goto(`${stack.url}/images/${foreign.id}`);
    await expect(page.getByRole("heading", { level: 1 })).toContainText("aarch64, emulated");
    await expect(main).toContainText("aarch64 is emulated on this host");
    await page.goto(`${stack.url}/images/${old.id}`);
    await expect(page.getByRole("heading", { level: 1 })).toContainText("end of life");
    await expect(main).toContainText("Support ended on 2020-01-31");
    await page.goto(`${stack.url}/images/${mended.id}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("mended");
    await expect(main).not.toContainText(/emulated on this host|no longer mends/);
  } finally {
    await stack.stop();
  }
});

test("an image whose maker has a newer build is out of date as soon as its page was opened, and one whose recipe has changed before that", async ({
  page,
}) => {
  let mirror: ImageMirror | undefined;
  let stack: Stack | undefined;
  try {
    mirror = await startImageMirror(published, await qcow2(2 ** 20));
    stack = await startStack({ hypervisor: "fake", env: { CUMULUS_IMAGE_MIRROR: mirror.url } });
    const built = await imageOf(stack, { name: "debian-12", recipeHash: "f".repeat(64), source: { type: "built" } });
    const image = await added(stack);
    mirror.publish(await qcow2(2 ** 20));
    await signIn(page, stack);

    await page.goto(`${stack.url}/images`);
    const row = (name: string) => page.getByRole("row", { name: new RegExp(`\\b${name}\\b`) });
    await expect(row("debian-12")).toContainText("out of date");
    await expect(row("ubuntu-24.04")).not.toContainText("out of date");
    await page.goto(`${stack.url}/images/${built.id}`);
    await expect(page.getByText("This version of Cumulus builds it otherwise")).toBeVisible();
    await expect(page.getByRole("button", { name: "Build the newest" })).toBeVisible();

    await page.goto(`${stack.url}/images/${image}`);
    const heading = page.getByRole("heading", { level: 1 });
    await expect(heading).toContainText("out of date");
    await expect(page.getByText("Its maker has published a newer build")).toBeVisible();
    await expect(page.getByText(/^Its maker has published another one\. Asked/)).toBeVisible();
    await page.goto(`${stack.url}/images`);
    await expect(row("ubuntu-24.04")).toContainText("out of date");

    // Its maker is away: that is told, and what was known stays.
    mirror.publish(null);
    await page.goto(`${stack.url}/images/${image}`);
    await page.getByRole("button", { name: "Check for a newer build" }).click();
    await expect(page.getByText(/could not be asked: .*404/)).toBeVisible();
    await expect(heading).toContainText("out of date");

    mirror.publish(await qcow2(2 ** 20));
    await page.getByRole("button", { name: "Download the newest" }).click();
    await page.getByRole("link", { name: "the newest" }).click();
    await expect(page.getByText(/^This is what its maker publishes\. Asked/)).toBeVisible();
    await expect(heading).not.toContainText("out of date");
  } finally {
    await stack?.stop();
    await mirror?.close();
  }
});

test("a recipe's image is out of date once its base has a newer build, and runs again on that one by a click", async ({
  page,
}) => {
  const stack = await startStack({ hypervisor: "fake" });
  const database = new pg.Client(connectionConfig(stack.settings));
  try {
    await database.connect();
    const base = await imageOf(stack, { name: "base" });
    const source = { type: "recipe", baseSha256: base.sha256, baseName: "base", recipe: "berlin" } as const;
    const made = await imageOf(stack, { name: "in-berlin", source }, "65M");
    const steps = [{ type: "timezone", timezone: "Europe/Berlin" }];
    const recipe = recipeSchema.parse({ name: "berlin", title: "In Berlin", steps });
    await database.query("update images set recipe = $1 where id = $2", [recipe, made.id]);
    await signIn(page, stack);

    await page.goto(`${stack.url}/images/${made.id}`);
    const heading = page.getByRole("heading", { level: 1 });
    await expect(heading).toHaveText("in-berlin");
    const newer = await imageOf(stack, { name: "base" }, "66M");
    await page.reload();
    await expect(heading).toContainText("out of date");
    await expect(page.getByText("What it was made from has a newer build")).toBeVisible();
    await page.getByRole("button", { name: "Run again on it" }).click();
    await expect(page.getByText("in-berlin: accepted.")).toBeVisible();
    const { rows } = await database.query("select task_params from operations where kind = 'image-customize'");
    expect(rows).toMatchObject([{ task_params: { base: { name: "base", sha256: newer.sha256 }, recipe } }]);
  } finally {
    await database.end();
    await stack.stop();
  }
});

/** The catalogue's image, once it is here. @returns its id */
async function added(stack: Stack): Promise<number> {
  expect((await stack.api<Operation>("POST", "/api/images", { catalogue: entryId })).status).toBe(202);
  let id: number | null | undefined;
  await until("the image is here", async () => {
    const { body } = await stack.api<{ items: CatalogueItem[] }>("GET", "/api/catalogue");
    id = body.items.find((item) => item.id === entryId)?.imageId;
    return id != null;
  });
  return id as number;
}
