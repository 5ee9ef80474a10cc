import { readFile } from "node:fs/promises";
import { expect } from "@playwright/test";
import type { Host } from "../../lib/domain/host";
import type { Vm } from "../../lib/domain/vm";
import { logFileOf } from "../../lib/log";
import { BridgeHost, internetAddress } from "../bridgeHost";
import { type Stack, startStack } from "../stack";
import { signIn, test } from "./fixtures";

test("the network default of a host that has a route to its range is in the next, and log and pages say why", async ({
  page,
}) => {
  const lab = await BridgeHost.make();
  let stack: Stack | undefined;
  try {
    await lab.host.ip(`route add 192.168.0.0/23 via ${internetAddress}`);
    stack = await startStack({ network: "bridge", host: lab.host });
    const why = "Not 192.168.0.0/24, as usual: the host has a route to 192.168.0.0/23.";
    await signIn(page, stack);
    await page.goto(`${stack.url}/networks`);
    const row = page.getByRole("row", { name: /default/ });
    await expect(row).toContainText("192.168.2.0/24");
    await expect(row).toContainText(why);
    await row.getByRole("link", { name: "default" }).click();
    await expect(page.getByRole("heading", { name: "default" })).toBeVisible();
    await expect(page.getByText(why)).toBeVisible();
    expect(await readFile(logFileOf("console", stack.settings), "utf8")).toContain(why);

    await page.goto(`${stack.url}/host`);
    await expect(page.getByText("Bridge", { exact: true })).toBeVisible();
    await expect(page.getByText("The agent is root, and all that bridges need is there.")).toBeVisible();
  } finally {
    await stack?.stop();
    await lab.remove();
  }
});

test("the host's page says of user-mode networks that it has them, and why", async ({ page, fakeStack }) => {
  const { body: host } = await fakeStack.api<Host>("GET", "/api/host");
  await signIn(page, fakeStack);
  await page.goto(`${fakeStack.url}/host`);
  await expect(page.getByText("User mode", { exact: true })).toBeVisible();
  await expect(page.getByText(host.report?.network.reason ?? "no report")).toBeVisible();
});

test("what an interface has carried is shown, and goes up", async ({ page, fakeBridged }) => {
  const asked = { name: "carrier", image: "mini", size: "nano" };
  const { body: vm } = await fakeBridged.api<Vm>("POST", "/api/vms?wait=ready", asked);
  await signIn(page, fakeBridged);
  await page.goto(`${fakeBridged.url}/vms/${vm.id}/networking`);
  const row = page.getByRole("row", { name: /net0/ });
  await expect(row).toContainText(/receives [\d.]+ \S+\/s/);
  await expect(row).toContainText(/sends [\d.]+ \S+\/s/);
  const received = async () => {
    const [, count, unit = ""] = /in ([\d.]+) (\w+), out /.exec((await row.textContent()) ?? "") ?? [];
    return Number(count) * 1024 ** "BKMG".indexOf(unit.charAt(0));
  };
  const before = await received();
  expect(before).toBeGreaterThan(0);
  await expect.poll(received).toBeGreaterThan(before);
});
