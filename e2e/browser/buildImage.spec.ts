import { expect } from "@playwright/test";
import type { ImageDetail } from "../../lib/domain/imageDetail";
import type { Operation } from "../../lib/domain/operation";
import { startStack } from "../stack";
import { signIn, test } from "./fixtures";

/** It fetches packages, on a computer that has much else to do. */
const buildMs = 600_000;

test("an image is built on this host from the form, with its log, how far it is, and the way to it", async ({
  page,
}) => {
  test.setTimeout(buildMs + 120_000);
  // What its tasks make of images is real.
  const stack = await startStack({ hypervisor: "fake" });
  try {
    await signIn(page, stack);
    await page.goto(`${stack.url}/images/add`);
    await page.getByRole("radio", { name: "Build here" }).click();
    await page.getByRole("radio", { name: /Cumulus mini/ }).check();
    await page.getByRole("combobox", { name: "Architecture" }).selectOption("x86_64");
    await page.getByRole("button", { name: "Build Cumulus mini" }).click();

    const log = page.getByRole("log", { name: "Log" });
    const bar = page.getByRole("progressbar", { name: /mini, x86_64/ });
    await expect(bar).toBeVisible();
    await expect(log).toContainText(/Fetching \d+ packages/, { timeout: buildMs });
    await expect(bar).toHaveAttribute("aria-valuenow", /[1-9]/);
    await expect(log).toContainText("Writing the disk", { timeout: buildMs });

    const link = page.getByRole("link", { name: "To the image" });
    await expect(link).toBeVisible({ timeout: buildMs });
    await expect(bar).toHaveCount(0);
    const { body } = await stack.api<{ items: Operation[] }>("GET", "/api/operations");
    const operation = body.items.find(({ kind }) => kind === "image-build");
    const { body: said } = await stack.api<{ text: string }>("GET", `/api/operations/${operation?.id}/log`);
    await expect.poll(async () => (await log.textContent())?.trim()).toBe(said.text.trim());

    await link.click();
    await expect(page.getByRole("heading", { name: "Cumulus mini", level: 1 })).toBeVisible();
    await expect(page).toHaveURL(`${stack.url}/images/${operation?.result?.imageId}`);
    const path = `/api/images/${operation?.result?.imageId}`;
    const { body: image } = await stack.api<ImageDetail>("GET", path);
    expect(image).toMatchObject({ name: "mini", source: { type: "built" }, newerBuild: null });
  } finally {
    await stack.stop();
  }
});
