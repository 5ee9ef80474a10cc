import { test as base, type Page } from "@playwright/test";
import { type Stack, startStack } from "../stack";

interface WorkerFixtures {
  /** Everything with the fake hypervisor: for pages, whose VMs need boot nothing. */
  fakeStack: Stack;
  /** The same, with bridges that it pretends to have. */
  fakeBridged: Stack;
  /** Everything with real QEMU. */
  stack: Stack;
  /** That, in which nobody has done anything yet. */
  newStack: Stack;
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
  fakeBridged: [
    // biome-ignore lint/correctness/noEmptyPattern: as above.
    async ({}, use) => {
      const stack = await startStack({ hypervisor: "fake", network: "bridge" });
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
  newStack: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from the pattern which fixtures are used.
    async ({}, use) => {
      const stack = await startStack();
      await use(stack);
      await stack.stop();
    },
    { scope: "worker", timeout: 240_000 },
  ],
});

type Cookies = Awaited<ReturnType<ReturnType<Page["context"]>["cookies"]>>;
const sessions = new WeakMap<Stack, Cookies>();

/**
 * Signs a page's browser in: by a first-run link, as `up` prints it, and from then on by the session that it gave, since links are limited in rate.
 * @param fresh a session of its own: for what ends it, or looks at where the link leads
 */
export async function signIn(page: Page, stack: Stack, { fresh = false } = {}): Promise<void> {
  const cookies = sessions.get(stack);
  if (cookies && !fresh) return page.context().addCookies(cookies);
  const { body } = await stack.api<{ url: string }>("POST", "/api/sign-in-links", {});
  await page.goto(body.url);
  if (!fresh) sessions.set(stack, await page.context().cookies());
}
