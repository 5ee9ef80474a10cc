import { expect } from "@playwright/test";
import type { Firewall } from "../../lib/domain/firewall";
import type { Host } from "../../lib/domain/host";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { startStack, until } from "../stack";
import { signIn, test } from "./fixtures";
import { seriousViolations } from "./seriousViolations";

test("a VM that moves to user mode shows which of its walls and interfaces are not there, and forwards ports of the loopback", async ({
  page,
}) => {
  const stack = await startStack({ hypervisor: "fake", network: "bridge" });
  try {
    const done = async (path: string, body: object) => {
      const { body: operation } = await stack.api<Operation>("POST", path, body);
      const read = async () => (await stack.api<Operation>("GET", `/api/operations/${operation.id}`)).body;
      await until("the operation is done", async () => (await read()).status === "done");
    };
    const rules = [{ direction: "ingress", protocol: "tcp", ports: [{ from: 22, to: 22 }] }];
    const { body: wall } = await stack.api<Firewall>("POST", "/api/firewalls", { name: "SSH only", rules });
    await stack.api("POST", "/api/networks", { name: "second", cidr: "10.20.0.0/24" });
    const asked = { name: "moved", image: "mini", size: "nano", firewalls: [wall.id] };
    const { body: vm } = await stack.api<Vm>("POST", "/api/vms?wait=ready", asked);
    await done(`/api/vms/${vm.id}/interfaces`, { network: "second" });
    const wide = { hostAddress: "0.0.0.0", hostPort: 28_310, port: 80 };
    await stack.api("POST", `/api/vms/${vm.id}/forwards`, wide);
    await done(`/api/vms/${vm.id}/stop`, {});
    await stack.kill("agent");
    await stack.startAgent({ CUMULUS_NETWORK: "user" });
    const isInUserMode = async () => (await stack.api<Host>("GET", "/api/host")).body.report?.network.driver === "user";
    await until("the host has user-mode networks", isInUserMode, 60_000);
    await done(`/api/vms/${vm.id}/start`, {});

    await signIn(page, stack);
    await page.goto(`${stack.url}/vms/${vm.id}/networking`);
    await expect(page.getByText("Firewalls, limits and further interfaces are not in effect")).toBeVisible();
    await expect(page.getByRole("row", { name: /net1/ })).toContainText("not plugged in here");
    await expect(page.getByRole("row", { name: /net0/ })).not.toContainText("not plugged in here");
    await expect(page.getByText("Its firewalls keep nothing out while it has a user-mode network")).toBeVisible();
    await expect(page.getByText("Nothing else comes in")).toHaveCount(0);
    await expect(page.getByRole("row", { name: /0\.0\.0\.0:28310/ })).toContainText("Not in effect");
    // Before a notification comes and goes, whose text is faint for a moment.
    expect(await seriousViolations(page)).toEqual([]);

    await page.getByRole("button", { name: "Forward a port" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel(/^Port of (?!the VM)/).fill("28311");
    await dialog.getByLabel("Port of the VM").fill("80");
    await expect(dialog.getByRole("option", { name: /0\.0\.0\.0/ })).toBeDisabled();
    await dialog.getByRole("button", { name: "Forward the port" }).click();
    await expect(page.getByRole("row", { name: /127\.0\.0\.1:28311/ })).not.toContainText("Not in effect");
  } finally {
    await stack.stop();
  }
});
