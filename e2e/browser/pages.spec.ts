import { expect, type Page } from "@playwright/test";
import type { Image } from "../../lib/domain/image";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { type Stack, until } from "../stack";
import { signIn, test } from "./fixtures";
import { seriousViolations } from "./seriousViolations";

const pages = [
  "/welcome",
  "/",
  "/vms/new",
  "/vms/import",
  "/vms/VM",
  "/vms/VM/console",
  "/vms/VM/serial",
  "/vms/VM/networking",
  "/vms/VM/snapshots",
  "/vms/VM/backups",
  "/vms/VM/activity",
  "/vms/VM/settings",
  "/images",
  "/images/1",
  "/images/ISO",
  "/images/add",
  "/images/add?from=vm",
  "/images/recipes",
  "/images/recipes/new",
  "/snapshots",
  "/snapshots/SNAPSHOT/files",
  "/networks",
  "/networks/1",
  "/networks/firewalls",
  "/networks/firewalls/new",
  "/activity",
  "/host",
  "/settings/ssh-keys",
  "/settings/tokens",
  "/settings/user-data",
  "/settings/backups",
  "/settings/account",
  "/settings/appearance",
  "/docs",
  "/docs/images",
  "/vms/999999",
];

async function makeVm(stack: Stack, name: string): Promise<Vm> {
  const { body } = await stack.api<Vm>("POST", "/api/vms?wait=ready", { name, image: "mini", size: "nano" });
  return body;
}

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl somebody@example";

/** A saved key, and a VM with a disc in its drive and snapshots in two branches. @returns what stands for it in the pages' paths */
async function makeShownVm(stack: Stack, name: string): Promise<Record<string, number>> {
  // The installation may have it from another of these tests.
  expect([201, 409]).toContain((await stack.api("POST", "/api/ssh-keys", { name: "laptop", publicKey })).status);
  const vm = await makeVm(stack, name);
  const { body: images } = await stack.api<{ items: Image[] }>("GET", "/api/images");
  const iso = images.items.find(({ kind }) => kind === "iso")?.id ?? 0;
  expect((await stack.api("PUT", `/api/vms/${vm.id}/cdrom`, { image: iso })).status).toBe(202);
  const snapshot = await done(stack, `/api/vms/${vm.id}/snapshots`, { name: "before" });
  await done(stack, `/api/vms/${vm.id}/snapshots`, { name: "after", memory: true });
  await done(stack, `/api/snapshots/${snapshot}/restore`, {});
  return { VM: vm.id, ISO: iso, SNAPSHOT: snapshot };
}

/** Asks for something of a snapshot, and waits until it is done. @returns the snapshot's id */
async function done(stack: Stack, path: string, body: object): Promise<number> {
  let { body: operation } = await stack.api<Operation>("POST", path, body);
  const hasEnded = async () => {
    operation = (await stack.api<Operation>("GET", `/api/operations/${operation.id}`)).body;
    return operation.finishedAt !== null;
  };
  await until(`${path} has ended`, hasEnded, 120_000);
  expect(operation, path).toMatchObject({ status: "done" });
  return operation.result?.snapshotId as number;
}

const filledIn = (path: string, ids: Record<string, number>) => path.replace(/[A-Z]+/, (name) => `${ids[name]}`);

/** All pages, by a quarter of them: workers share them. */
const quarters = [0, 1, 2, 3].map((quarter) => pages.filter((_, index) => index % 4 === quarter));
const wide = { width: 1280, height: 850 };
const phone = { width: 390, height: 850 };

const backgroundOf = (page: Page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

test.describe("every page", () => {
  test.describe.configure({ mode: "parallel" });
  for (const [index, quarter] of quarters.entries()) {
    test(`is accessible and fits, on a desk and on a phone, light and dark (${index + 1} of ${quarters.length})`, async ({
      browser,
      fakeStack,
    }) => {
      const context = await browser.newContext({ colorScheme: "light", reducedMotion: "reduce" });
      const page = await context.newPage();
      await signIn(page, fakeStack);
      const ids = await makeShownVm(fakeStack, `page-${index}`);
      const expectFits = async (path: string) => {
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(overflow, `${path} is wider than the window`).toBeLessThanOrEqual(0);
      };
      for (const path of quarter) {
        await page.setViewportSize(wide);
        await page.goto(fakeStack.url + filledIn(path, ids));
        await expect(page.getByRole("heading", { level: 1 }).first(), path).toBeVisible();
        await expect(page.getByRole("main"), path).toBeVisible();
        await expect(page.getByRole("status", { name: /^Reading/ }), path).toHaveCount(0);
        await expectFits(path);
        expect(await seriousViolations(page), path).toEqual([]);
        const background = await backgroundOf(page);
        // The dark pages are the light ones in other colours.
        await page.emulateMedia({ colorScheme: "dark" });
        await expect.poll(() => backgroundOf(page), path).not.toBe(background);
        expect(await seriousViolations(page, ["color-contrast"]), `${path}, dark`).toEqual([]);
        await page.emulateMedia({ colorScheme: "light" });
        await page.setViewportSize(phone);
        await expectFits(path);
        expect(await seriousViolations(page), `${path}, on a phone`).toEqual([]);
      }
      await context.close();
    });
  }

  test("is shown to nobody who isn't signed in", async ({ page, fakeStack }) => {
    for (const path of pages.filter((one) => !one.startsWith("/docs"))) {
      await page.goto(fakeStack.url + filledIn(path, { VM: 1, ISO: 2, SNAPSHOT: 1 }));
      await expect(page, path).toHaveURL(/\/sign-in/);
    }
    expect(await seriousViolations(page)).toEqual([]);
  });
});

test("the list is live: what others do shows without a reload", async ({ page, fakeStack }) => {
  await signIn(page, fakeStack);
  await page.goto(fakeStack.url);
  await expect(page.getByRole("heading", { name: "Virtual machines" })).toBeVisible();
  const vm = await makeVm(fakeStack, "by-someone-else");
  const row = page.getByRole("row", { name: /by-someone-else/ });
  await expect(row).toContainText("Running");
  await fakeStack.api("POST", `/api/vms/${vm.id}/stop`, {});
  await expect(row).toContainText("Stopped");
  await fakeStack.api("DELETE", `/api/vms/${vm.id}`);
  await expect(row).toHaveCount(0);
});

test("the activity says what each operation was about, also on a phone, and is searched by it", async ({
  page,
  fakeStack,
}) => {
  await page.setViewportSize({ width: 390, height: 850 });
  await signIn(page, fakeStack);
  const vm = await makeVm(fakeStack, "told-about");
  await done(fakeStack, `/api/vms/${vm.id}/snapshots`, { name: "spring cleaning" });
  await page.goto(`${fakeStack.url}/activity`);
  const row = page.getByRole("row", { name: /^Snapshot spring cleaning told-about/ });
  await expect(row.getByText("spring cleaning", { exact: true })).toBeInViewport({ ratio: 1 });
  await page.getByLabel("Search operations").fill("spring");
  await expect(page.getByRole("table", { name: "Operations" }).getByRole("row")).toHaveCount(2);
  await page.goto(`${fakeStack.url}/vms/${vm.id}/activity`);
  await expect(page.getByRole("row", { name: /^Snapshot spring cleaning/ })).toBeVisible();
});

test("a long note takes two lines of the list; the keyboard and the dialog get to the rest", async ({
  page,
  fakeStack,
}) => {
  await signIn(page, fakeStack);
  const vm = await makeVm(fakeStack, "long-noted");
  const note = `Before the upgrade.\nFrom 12 to 13.\n${"All services were stopped. ".repeat(70)}`.trim();
  await done(fakeStack, `/api/vms/${vm.id}/snapshots`, { name: "noted", note });
  await done(fakeStack, `/api/vms/${vm.id}/snapshots`, { name: "short", note: "Nothing to add." });
  for (const path of [`/vms/${vm.id}/snapshots`, "/snapshots"]) {
    await page.goto(fakeStack.url + path);
    const shown = page.getByRole("row", { name: /^noted/ }).getByText("Before the upgrade.");
    const shortNote = page.getByText("Nothing to add.");
    const heightOf = async (text: typeof shown) => (await text.boundingBox())?.height ?? 0;
    await expect.poll(async () => (await heightOf(shown)) / (await heightOf(shortNote))).toBe(2);
    await expect(shortNote).not.toHaveAttribute("tabindex");
    await shown.focus();
    await expect(page.getByRole("tooltip")).toContainText("All services were stopped.");
    await page.keyboard.press("Escape");
  }
  await page.getByRole("button", { name: "More for noted" }).click();
  await page.getByRole("menuitem", { name: "Name and note…" }).click();
  await expect(page.getByRole("textbox", { name: "Note" })).toHaveValue(note);
});

test("the list tells the truth again after the console was killed", async ({ page, fakeStack }) => {
  await signIn(page, fakeStack);
  await page.goto(fakeStack.url);
  const vm = await makeVm(fakeStack, "survivor");
  const row = page.getByRole("row", { name: /survivor/ });
  await expect(row).toContainText("Running");
  await fakeStack.kill("console");
  await fakeStack.agent.stop(vm.id);
  await fakeStack.startConsole();
  // What is wanted is that it runs: it was started again, and the page hears of it.
  await expect.poll(async () => (await fakeStack.agent.observe(vm.id)).state).toBe("running");
  await fakeStack.api("POST", `/api/vms/${vm.id}/stop`, {});
  await expect(row).toContainText("Stopped");
});

test("the command palette goes to pages and VMs by keyboard alone", async ({ page, fakeStack }) => {
  await signIn(page, fakeStack);
  const vm = await makeVm(fakeStack, "by-keyboard");
  await page.goto(fakeStack.url);
  await expect(page.getByRole("row", { name: /by-keyboard/ })).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Search or run a command" })).toBeFocused();
  await page.keyboard.type("by-keyb");
  await expect(page.getByRole("option", { name: /by-keyboard/ }).first()).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`${fakeStack.url}/vms/${vm.id}`);
});

test("several VMs are destroyed at once, after one question that names them", async ({ page, fakeStack }) => {
  await signIn(page, fakeStack);
  await Promise.all([makeVm(fakeStack, "bulk-a"), makeVm(fakeStack, "bulk-b")]);
  await page.goto(fakeStack.url);
  for (const name of ["bulk-a", "bulk-b"]) await page.getByRole("checkbox", { name: `Select ${name}` }).check();
  await page
    .getByRole("region", { name: "Selected VMs" })
    .getByRole("button", { name: /Destroy/ })
    .click();
  const dialog = page.getByRole("alertdialog");
  await expect(dialog).toContainText("bulk-a");
  await expect(dialog).toContainText("bulk-b");
  await dialog.getByRole("button", { name: /^Destroy/ }).click();
  await expect(page.getByRole("row", { name: /bulk-/ })).toHaveCount(0);
});

test("a VM is cloned by a click and a name that is suggested, and its clone's page is shown", async ({
  page,
  fakeStack,
}) => {
  await signIn(page, fakeStack);
  const vm = await makeVm(fakeStack, "dolly");
  await page.goto(`${fakeStack.url}/vms/${vm.id}`);
  await page.getByRole("button", { name: "More for dolly" }).click();
  await page.getByRole("menuitem", { name: /^Clone/ }).click();
  const dialog = page.getByRole("dialog", { name: "Clone dolly" });
  await expect(dialog.getByLabel("Name")).toHaveValue("dolly-2");
  await dialog.getByRole("button", { name: "Clone", exact: true }).click();
  await expect(page.getByRole("heading", { name: "dolly-2", level: 1 })).toBeVisible();
  await expect(page).not.toHaveURL(`${fakeStack.url}/vms/${vm.id}`);
  await page.goto(fakeStack.url);
  await expect(page.getByRole("row", { name: /\bdolly-2\b/ })).toContainText("Running");
});

test("a disabled action says why, also to the keyboard", async ({ page, fakeStack }) => {
  await signIn(page, fakeStack);
  const vm = await makeVm(fakeStack, "says-why");
  await page.goto(`${fakeStack.url}/vms/${vm.id}`);
  const start = page.getByRole("button", { name: "Start", exact: true });
  await expect(start).toHaveAttribute("aria-disabled", "true");
  await start.focus();
  await expect(page.getByRole("tooltip").first()).toContainText(/runs|running/i);
});

test("a dialog gives the keyboard back to what opened it: a menu's to the menu's button, in the list and on the VM's page", async ({
  page,
  fakeStack,
}) => {
  await signIn(page, fakeStack);
  const vm = await makeVm(fakeStack, "gives-back");
  const more = page.getByRole("button", { name: "More for gives-back" });
  const cancelFromMenu = async (item: RegExp, role: "dialog" | "alertdialog", key: "Escape" | "Enter") => {
    await more.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: item }).focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole(role);
    await expect(dialog).toBeVisible();
    if (key === "Enter") await dialog.getByRole("button", { name: "Cancel" }).focus();
    await page.keyboard.press(key);
    await expect(dialog).toHaveCount(0);
    await expect(more).toBeFocused();
  };
  await page.goto(fakeStack.url);
  // The first round loads the code of menu and dialogs, the second has it.
  for (const key of ["Escape", "Enter"] as const) {
    await cancelFromMenu(/^Make image/, "dialog", key);
    await cancelFromMenu(/^Destroy/, "alertdialog", key);
  }
  await page.goto(`${fakeStack.url}/vms/${vm.id}/snapshots`);
  await cancelFromMenu(/^Clone/, "dialog", "Escape");
  const clone = page.getByRole("button", { name: "Clone VM" });
  await clone.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(clone).toBeFocused();
});

test("a token made in the settings opens the API", async ({ page, fakeStack }) => {
  await signIn(page, fakeStack);
  await page.goto(`${fakeStack.url}/settings/tokens`);
  await page.getByRole("button", { name: /token/i }).first().click();
  await page.getByLabel("Name").fill("from-the-browser");
  await page
    .getByRole("dialog")
    .getByRole("button", { name: /Create/ })
    .click();
  const token = (
    await page
      .getByText(/^[0-9a-f]{64}$/)
      .first()
      .textContent()
  )?.trim();
  const response = await fetch(`${fakeStack.url}/api/vms`, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
});

test("signing out ends the session everywhere", async ({ page, fakeStack }) => {
  await signIn(page, fakeStack, { fresh: true });
  await page.goto(fakeStack.url);
  const cookies = await page.context().cookies();
  await page.getByRole("button", { name: /account/i }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  expect((await fetch(`${fakeStack.url}/api/vms`, { headers: { cookie } })).status).toBe(401);
});
