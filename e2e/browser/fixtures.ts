import { test as base, type Page } from "@playwright/test";
import { type Stack, startStack } from "../stack";

interface WorkerFixtures {
  /** Everything with the fake hypervisor: for pages, whose VMs need boot nothing. */
  fakeStack: Stack;
  /** Everything with real QEMU. */
  stack: Stack;
}

export const test = base.extend<object, WorkerFixtures>({
  fakeStack: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from the pattern which fixtures are used.
    async ({}, use) => {
      const stack = await startStack({ hypervisor: "fake" });
      await use(stack);
      await stack.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  stack: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from the pattern which fixtures are used.
    async ({}, use) => {
      const stack = await startStack();
      await use(stack);
      await stack.stop();
    },
    { scope: "worker", timeout: 240_000 },
  ],
});

/** Opens a first-run link, as `up` prints it; the page is signed in after it. */
export async function signIn(page: Page, stack: Stack): Promise<void> {
  const { body } = await stack.api<{ url: string }>("POST", "/api/sign-in-links", {});
  await page.goto(body.url);
}
