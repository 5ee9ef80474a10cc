import { expect } from "@playwright/test";
import type { Network } from "../../lib/domain/network";
import type { Vm } from "../../lib/domain/vm";
import { signIn, test } from "./fixtures";

test("addresses are chosen by keyboard alone, and the map is live", async ({ page, fakeBridged }) => {
  await signIn(page, fakeBridged);
  await page.goto(`${fakeBridged.url}/networks/1`);
  await expect(page.getByRole("navigation", { name: "Breadcrumb" })).toHaveText("Networks/default");
  const gateway = page.getByRole("radio", { name: "192.168.0.1: Gateway" });
  await gateway.focus();
  await page.keyboard.press("Space");
  await expect(gateway).toBeChecked();
  await page.keyboard.press("ArrowLeft");
  await expect(page.getByRole("radio", { name: "192.168.0.0: Not for VMs" })).toBeChecked();
  const { body: vm } = await fakeBridged.api<Vm>("POST", "/api/vms", {
    ...{ name: "seen-live", image: "mini", size: "nano", ipv4: "192.168.0.77" },
  });
  await expect(page.getByRole("radio", { name: "192.168.0.77: Used by a VM (seen-live)" })).toBeVisible();
  await fakeBridged.api("DELETE", `/api/vms/${vm.id}`);
  await expect(page.getByRole("radio", { name: "192.168.0.77: In quarantine (seen-live)" })).toBeVisible();
});

test("an address is reserved with a MAC, a VM that asks for it has both, and keeps them without the reservation", async ({
  page,
  fakeBridged,
}) => {
  await signIn(page, fakeBridged);
  await page.goto(`${fakeBridged.url}/networks/1`);
  const [ipv4, mac] = ["192.168.0.88", "52:54:00:dd:00:01"];
  const panel = page.getByRole("region", { name: "Chosen address" });
  await page.getByRole("radio", { name: `${ipv4}: Free` }).check();
  await panel.getByLabel("Reserved for").fill("the licence server");
  const field = panel.getByLabel("MAC address");
  await expect(field).toHaveAccessibleDescription(/a VM may ask for this address, and gets the MAC with it/);
  await field.fill("01:00:5e:00:00:01");
  await panel.getByRole("button", { name: `Reserve ${ipv4}` }).click();
  await expect(panel.getByRole("alert")).toContainText("Use a MAC like 52:54:00:12:34:56");
  await field.fill(mac.toUpperCase());
  await panel.getByRole("button", { name: `Reserve ${ipv4}` }).click();
  await expect(page.getByRole("radio", { name: `${ipv4}: Reserved` })).toBeChecked();
  await expect(panel).toContainText("Reserved for a VM that asks for it, with this MAC: the licence server");
  await expect(panel).toContainText(mac);
  const asked = { name: "licensed", image: "mini", size: "nano", ipv4 };
  expect((await fakeBridged.api<Vm>("POST", "/api/vms", asked)).body).toMatchObject({ ipv4, mac });
  await expect(panel).toContainText("The VM licensed has it, and the MAC that is reserved with it");
  await panel.getByRole("button", { name: `End the reservation of ${ipv4}` }).click();
  await expect(panel).toContainText("The VM licensed has it.");
});

test("a VM is created with the address that the form asks for; one that is taken is told at the field, by whom", async ({
  page,
  fakeBridged,
}) => {
  await fakeBridged.api("POST", "/api/vms", { name: "early", image: "mini", size: "nano", ipv4: "192.168.0.66" });
  await signIn(page, fakeBridged);
  await page.goto(`${fakeBridged.url}/vms/new`);
  await page.getByLabel("Host name").fill("late");
  await page.getByText("Advanced", { exact: true }).click();
  const field = page.getByLabel("Address");
  await field.fill("192.168.0.66");
  const create = page.getByRole("button", { name: "Create VM" });
  await create.click();
  await expect(field).toBeFocused();
  await expect(field).toHaveAccessibleDescription(/early/);
  await field.fill("192.168.0.67");
  await create.click();
  await expect(page).toHaveURL(/\/vms\/\d+$/);
  await expect(page.getByText("192.168.0.67").first()).toBeVisible();
});

test("a network that nobody is in gets another range, and says why it doesn't once a VM is", async ({
  page,
  fakeBridged,
}) => {
  await signIn(page, fakeBridged);
  const asked = { name: "moves", cidr: "10.67.0.0/24" };
  const { body: network } = await fakeBridged.api<Network>("POST", "/api/networks", asked);
  await page.goto(`${fakeBridged.url}/networks/${network.id}`);
  await page.getByRole("button", { name: "Change" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Range", { exact: true }).fill("10.68.0.0/24");
  await dialog.getByLabel("Domain").fill("moved.example");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText("10.68.0.1", { exact: true })).toBeVisible();
  await expect(page.getByText("vm.moved.example")).toBeVisible();
  await fakeBridged.api("POST", "/api/vms", { name: "stays", image: "mini", size: "nano", network: "moves" });
  await page.reload();
  await page.getByRole("button", { name: "Change" }).click();
  for (const field of ["Range", "Gateway", "Domain"]) {
    await expect(dialog.getByLabel(field, { exact: true })).toBeDisabled();
    await expect(dialog.getByLabel(field, { exact: true })).toHaveAccessibleDescription(/while VMs are in the network/);
  }
});
