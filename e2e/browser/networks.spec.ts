import { expect } from "@playwright/test";
import type { Firewall } from "../../lib/domain/firewall";
import type { Network } from "../../lib/domain/network";
import type { Vm } from "../../lib/domain/vm";
import { serve } from "../../lib/hypervisor/testing/lab/labNetworks";
import { signal } from "../../lib/system/testing/signal";
import { BridgeHost, hostAddress, internetAddress } from "../bridgeHost";
import { createSshClient, type SshClient } from "../sshClient";
import { type Stack, startStack } from "../stack";
import { test as base, signIn } from "./fixtures";
import { seriousViolations } from "./seriousViolations";

interface BridgeFixtures {
  /** Real bridges and QEMU, in a namespace that is the host. */
  bridged: { stack: Stack; lab: BridgeHost; ssh: SshClient };
}

const test = base.extend<object, BridgeFixtures>({
  bridged: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from the pattern which fixtures are used.
    async ({}, use) => {
      const lab = await BridgeHost.make();
      const ssh = await createSshClient();
      try {
        const stack = await startStack({ network: "bridge", host: lab.host });
        try {
          await use({ stack, lab, ssh });
        } finally {
          await stack.stop();
        }
      } finally {
        await ssh.remove();
        await lab.remove();
      }
    },
    { scope: "worker", timeout: 240_000 },
  ],
});

const bootMs = 240_000;

/** Prints what the internet's web server answers, its client's address among it. */
const fetchPage = `timeout 10 bash -c 'exec 3<>/dev/tcp/${internetAddress}/80 && printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3 && cat <&3'`;

test("a second network: two VMs find each other by name and the way out, a firewall closes it, a forward opens SSH", async ({
  page,
  bridged: { stack, lab, ssh },
}) => {
  await serve(lab.internet, 80);
  await signIn(page, stack);
  const vmNamed = async (name: string) => {
    const { body } = await stack.api<{ items: Vm[] }>("GET", `/api/vms?search=${name}`);
    const vm = body.items.find((one) => one.name === name);
    if (!vm) throw new Error(`There is no VM ${name}.`);
    return vm;
  };
  // On a busy machine an emulated guest may take longer for a handshake than SSH waits.
  const inGuest = (vm: Vm, command: string) =>
    ssh.run(vm.ssh.command, command, lab.host).catch((error: Error) => error.message);
  const prints = (vm: Vm, command: string, text: string) =>
    expect.poll(() => inGuest(vm, command), { timeout: 120_000 }).toContain(text);
  const succeeds = (vm: Vm, command: string, answer: "yes" | "no") =>
    prints(vm, `${command} >/dev/null 2>&1 && echo :yes || echo :no`, `:${answer}`);

  await test.step("create a network", async () => {
    await page.goto(`${stack.url}/networks`);
    await page.getByRole("button", { name: "Create network" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("lab");
    await dialog.getByLabel("Range", { exact: true }).fill("10.77.0.0/24");
    await dialog.getByLabel("Gateway").fill("10.77.0.254");
    await dialog.getByLabel("Domain").fill("lab.example");
    await dialog.getByLabel("IPv6 too").check();
    await dialog.getByRole("button", { name: "Create network" }).click();
    await expect(page.getByRole("row", { name: /lab/ })).toContainText("10.77.0.0/24");
  });

  await test.step("put two VMs on it, by the form", async () => {
    for (const name of ["one", "two"]) {
      await page.goto(`${stack.url}/vms/new`);
      await page.getByRole("radio", { name: /nano/ }).click();
      await page.getByRole("button", { name: "Paste one for this VM alone" }).click();
      await page.getByLabel("Public keys for this VM alone").fill(ssh.publicKey);
      await page.getByLabel("Host name").fill(name);
      await page.getByText("Advanced", { exact: true }).click();
      await page.getByLabel("Network").selectOption("lab");
      await page.getByRole("button", { name: "Create VM" }).click();
      await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
    }
    for (const name of ["one", "two"]) {
      await expect.poll(async () => (await vmNamed(name)).isReady, { timeout: bootMs }).toBe(true);
    }
  });
  const [one, two] = await Promise.all([vmNamed("one"), vmNamed("two")]);
  expect([one.ipv4, two.ipv4]).toEqual(["10.77.0.1", "10.77.0.2"]);

  await test.step("they ping each other by name, and reach the internet", async () => {
    await prints(one, "ping -4 -c 1 -W 10 two", `bytes from ${two.ipv4}`);
    await prints(two, "ping -4 -c 1 -W 10 one.lab.example", `bytes from ${one.ipv4}`);
    await prints(two, "ping -6 -c 1 -W 10 one", "bytes from fd");
    await prints(one, fetchPage, `hello ::ffff:${hostAddress}`);
  });

  await test.step("the address map shows who has what", async () => {
    const { body } = await stack.api<{ items: Network[] }>("GET", "/api/networks");
    const network = body.items.find(({ name }) => name === "lab");
    await page.goto(`${stack.url}/networks/${network?.id}`);
    await page.getByRole("radio", { name: `${one.ipv4}: Used by a VM (one)` }).check();
    await expect(page.getByRole("region", { name: "Chosen address" })).toContainText("The VM one has it.");
    await page.getByRole("radio", { name: "10.77.0.9: Free" }).check();
    await page.getByRole("button", { name: "Reserve 10.77.0.9" }).click();
    await expect(page.getByRole("radio", { name: "10.77.0.9: Reserved" })).toBeChecked();
  });

  await test.step("a firewall, made and given by hand, closes it at once", async () => {
    await page.goto(`${stack.url}/networks/firewalls/new`);
    await page.getByLabel("Name").fill("shut");
    await expect(page.getByText("Nothing comes in.")).toBeVisible();
    await page.getByRole("button", { name: "Add a rule" }).click();
    const rule = page.getByRole("group", { name: "Rule 1", exact: true });
    await rule.getByLabel("Ports").fill("22");
    await page.getByRole("button", { name: "Add a rule" }).click();
    const second = page.getByRole("group", { name: "Rule 2", exact: true });
    await second.getByRole("radio", { name: "Let out" }).check();
    await second.getByLabel("Ports").fill("22");
    await expect(page.getByText("Let in TCP 22 from anybody.")).toBeVisible();
    await page.getByRole("button", { name: "Save firewall" }).click();
    await expect(page.getByRole("row", { name: /shut/ })).toBeVisible();
    await page.goto(`${stack.url}/vms/${one.id}/networking`);
    await page.getByRole("checkbox", { name: "shut" }).check();
    await page.getByRole("button", { name: "Save firewalls" }).click();
    await succeeds(two, "ping -c 1 -W 2 one", "no");
    await succeeds(one, fetchPage, "no");
    await succeeds(two, fetchPage, "yes");
  });

  await test.step("what keeps it from being reached is told, and what doesn't", async () => {
    const card = page.getByRole("button", { name: "Why can't I reach it?" });
    await card.click();
    await expect(page.getByText("The host reaches port 22.")).toBeVisible({ timeout: 60_000 });
    await page.getByLabel("TCP port").fill("80");
    await card.click();
    await expect(page.getByText(/Add a rule for TCP port 80 from 169\.254\..*, or from anybody/)).toBeVisible({
      timeout: 60_000,
    });
  });

  await test.step("a forward opens SSH from the internet", async () => {
    await page.getByRole("button", { name: "Forward a port" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel(/^Port of (?!the VM)/).fill("2222");
    await dialog.getByLabel("Port of the VM").fill("22");
    await dialog.getByLabel("Reached from").selectOption("0.0.0.0");
    await dialog.getByRole("button", { name: "Forward the port" }).click();
    await expect(page.getByRole("row", { name: /0\.0\.0\.0:2222/ })).toBeVisible();
    const line = `ssh -p 2222 ${one.ssh.options} root@${hostAddress}`;
    const hostname = () => ssh.run(line, "hostname", lab.internet).catch((error: Error) => error.message);
    await expect.poll(hostname, { timeout: 60_000 }).toBe("one");
    await page.getByRole("button", { name: "Remove the forward of port 2222" }).click();
    // Once the host has removed it: who is in the middle of a handshake then would wait for an answer in vain.
    await expect(page.getByRole("row", { name: /0\.0\.0\.0:2222/ })).toHaveCount(0);
    await expect.poll(hostname, { timeout: 120_000 }).not.toBe("one");
  });

  await test.step("a third interface is plugged in while it runs, and unplugged", async () => {
    await page.goto(`${stack.url}/vms/${two.id}/networking`);
    await page.getByRole("button", { name: "Plug in" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Plug in" }).click();
    const row = page.getByRole("row", { name: /net1/ });
    await expect(row).toContainText("default");
    await expect(row).toContainText("address seen", { timeout: 60_000 });
    const { body } = await stack.api<{ interfaces: { mac: string }[] }>("GET", `/api/vms/${two.id}/networking`);
    const mac = body.interfaces[1]?.mac ?? "";
    await succeeds(two, `grep ${mac} /sys/class/net/*/address`, "yes");
    await row.getByRole("button", { name: "Unplug net1" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Unplug" }).click();
    await expect(row).toHaveCount(0, { timeout: 60_000 });
    await succeeds(two, `grep ${mac} /sys/class/net/*/address`, "no");
  });
});

const pages = ["/networks", "/networks/1", "/networks/firewalls", "/networks/firewalls/new", "/networks/firewalls/1"];

for (const [colorScheme, width] of [
  ["light", 1280],
  ["dark", 390],
] as const) {
  test(`pages of networks are accessible and fit, ${colorScheme}, ${width} px`, async ({ browser, fakeBridged }) => {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width, height: 850 },
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    await signIn(page, fakeBridged);
    const rules = [{ direction: "ingress", protocol: "tcp", ports: [{ from: 22, to: 22 }] }];
    await fakeBridged.api("POST", "/api/firewalls", { name: "SSH only", rules });
    const network = `wide-${width}`;
    await fakeBridged.api("POST", "/api/networks", { name: network, cidr: `10.9.${width % 256}.0/24`, ipv6: true });
    const { body: vm } = await fakeBridged.api<Vm>("POST", "/api/vms?wait=ready", {
      ...{ name: `page-${width}`, image: "mini", size: "nano", firewalls: [1], network },
    });
    const limit = { ingressBytesPerSecond: 1_250_000, egressBytesPerSecond: null };
    await fakeBridged.api("PUT", `/api/vms/${vm.id}/interfaces/net0/limit`, limit);
    await fakeBridged.api("POST", `/api/vms/${vm.id}/interfaces`, { network: "default" });
    await fakeBridged.api("POST", `/api/vms/${vm.id}/forwards`, { hostPort: 20_000 + width, port: 80 });
    for (const path of [...pages, `/vms/${vm.id}/networking`]) {
      await page.goto(fakeBridged.url + path);
      await expect(page.getByRole("heading", { level: 1 }).first(), path).toBeVisible();
      await expect(page.locator("[role=status][aria-label^=Reading]"), path).toHaveCount(0);
      expect(await seriousViolations(page), path).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, `${path} is wider than the window`).toBeLessThanOrEqual(0);
    }
    const row = page.getByRole("row", { name: /net0/ });
    await expect(row.getByRole("button", { name: "Limit net0" })).toBeInViewport({ ratio: 1 });
    for (const name of ["Interfaces", "Port forwards"]) {
      const hiddenPx = await page
        .getByRole("table", { name })
        .evaluate((table) => table.scrollWidth - (table.parentElement?.clientWidth ?? 0));
      expect(hiddenPx, `${name} is wider than its card`).toBeLessThanOrEqual(0);
    }
    await expect(row.getByText(/in 10 Mbit\/s, out unlimited/).filter({ visible: true })).toBeVisible();
    await context.close();
  });
}

test("why a VM can't be reached is asked of the interface that is chosen", async ({ page, fakeBridged }) => {
  await signIn(page, fakeBridged);
  await fakeBridged.api("POST", "/api/networks", { name: "second-leg", cidr: "10.46.0.0/24" });
  const { body: vm } = await fakeBridged.api<Vm>("POST", "/api/vms?wait=ready", {
    name: "two-legs",
    image: "mini",
    size: "nano",
  });
  await page.goto(`${fakeBridged.url}/vms/${vm.id}/networking`);
  const button = page.getByRole("button", { name: "Why can't I reach it?" });
  const choice = page.getByLabel("Interface", { exact: true });
  await expect(button).toBeVisible();
  await expect(choice).toHaveCount(0);
  await fakeBridged.api("POST", `/api/vms/${vm.id}/interfaces`, { network: "second-leg" });
  await choice.selectOption("net1");
  await button.click();
  const checks = page.getByRole("list", { name: "Checks of port 22 by net1" });
  await expect(checks).toContainText("The VM's interface net1 is plugged into its network.");
});

test("what the host has not put into effect is said so on the VM's and the host's page, until it is", async ({
  page,
  fakeBridged,
}) => {
  await signIn(page, fakeBridged);
  const { body: firewall } = await fakeBridged.api<Firewall>("POST", "/api/firewalls", { name: "held up", rules: [] });
  const { body: vm } = await fakeBridged.api<Vm>("POST", "/api/vms?wait=ready", {
    ...{ name: "waits-for-its-wall", image: "mini", size: "nano" },
  });
  await page.goto(`${fakeBridged.url}/vms/${vm.id}/networking`);
  const box = page.getByRole("checkbox", { name: firewall.name });
  await box.check();
  const pending = page.getByText(/The host has not put the last change of its networks into effect yet/);
  const agentPid = await fakeBridged.pidOf("agent");
  signal(agentPid, "SIGSTOP");
  try {
    await page.getByRole("button", { name: "Save firewalls" }).click();
    await expect(page.getByText("Saved. The host has not put it into effect yet.")).toBeVisible();
    await expect(pending).toBeVisible();
    await expect(page.getByText("In effect at once")).toHaveCount(0);
    await expect(box).toBeChecked();
    await page.goto(`${fakeBridged.url}/host`);
    await expect(pending).toBeVisible();
  } finally {
    signal(agentPid, "SIGCONT");
  }
  await expect(pending).toHaveCount(0, { timeout: 60_000 });
  await page.goto(`${fakeBridged.url}/vms/${vm.id}/networking`);
  await expect(page.getByText("In effect at once")).toBeVisible();
  await expect(box).toBeChecked();
});

test("of what is removed, the host is said to have it still until it hasn't", async ({ page, fakeBridged }) => {
  await signIn(page, fakeBridged);
  const asked = { name: "leaves-late", cidr: "10.66.0.0/24" };
  const { body: network } = await fakeBridged.api<Network>("POST", "/api/networks", asked);
  const { body: vm } = await fakeBridged.api<Vm>("POST", "/api/vms?wait=ready", {
    ...{ name: "forwards-late", image: "mini", size: "nano" },
  });
  await fakeBridged.api("POST", `/api/vms/${vm.id}/forwards`, { hostPort: 21_999, port: 80 });
  await page.goto(`${fakeBridged.url}/vms/${vm.id}/networking`);
  const removal = page.getByRole("button", { name: "Remove the forward of port 21999" });
  await expect(removal).toBeVisible();
  const pending = page.getByText(/The host has not put the last change of its networks into effect yet/);
  const agentPid = await fakeBridged.pidOf("agent");
  signal(agentPid, "SIGSTOP");
  try {
    await removal.click();
    await expect(page.getByText("Saved. The host has not put it into effect yet.")).toBeVisible();
    await page.goto(`${fakeBridged.url}/networks/${network.id}`);
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete network" }).click();
    const notice = "Network leaves-late deleted. The host has not taken it away yet.";
    await expect(page.getByText(notice)).toBeVisible();
    await expect(page).toHaveURL(/\/networks$/);
    await expect(pending).toBeVisible();
  } finally {
    signal(agentPid, "SIGCONT");
  }
  await expect(pending).toHaveCount(0, { timeout: 60_000 });
});
