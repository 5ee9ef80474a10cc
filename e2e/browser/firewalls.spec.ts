import { expect } from "@playwright/test";
import type { Firewall } from "../../lib/domain/firewall";
import { signIn, test } from "./fixtures";
import { seriousViolations } from "./seriousViolations";

test("of two who edit a firewall, the second sees that it changed, and loads what is there or keeps the own", async ({
  page,
  fakeBridged,
}) => {
  const rule = (port: number) => ({ direction: "ingress", protocol: "tcp", ports: [{ from: port, to: port }] });
  const { body: made } = await fakeBridged.api<Firewall>("POST", "/api/firewalls", {
    name: "shared",
    rules: [rule(22)],
  });
  const rewrite = (...ports: number[]) =>
    fakeBridged.api("PUT", `/api/firewalls/${made.id}`, { name: "shared", rules: ports.map(rule) });
  const saved = async () => {
    const { body } = await fakeBridged.api<Firewall>("GET", `/api/firewalls/${made.id}`);
    return body.rules.map(({ ports }) => ports[0]?.from);
  };
  await signIn(page, fakeBridged);
  await page.goto(`${fakeBridged.url}/networks/firewalls/${made.id}`);
  const ports = page.getByRole("group", { name: "Rule 1" }).getByRole("textbox", { name: "Ports" });
  const save = page.getByRole("button", { name: "Save firewall" });
  const changed = page.getByText("Somebody else has changed this firewall meanwhile");

  await expect(ports).toHaveValue("22");
  await rewrite(80);
  await expect(ports, "what nobody has touched is as it is saved").toHaveValue("80");
  await ports.fill("443");
  await rewrite(8080);
  await expect(changed).toBeVisible();
  await expect(save).toHaveAttribute("aria-disabled", "true");
  expect(await seriousViolations(page)).toEqual([]);
  await page.getByRole("button", { name: "Load what is there" }).click();
  await expect(ports).toHaveValue("8080");
  await expect(changed).toBeHidden();

  await ports.fill("443");
  await rewrite(9090);
  await page.getByRole("button", { name: "Keep mine" }).click();
  await save.click();
  await expect(page).toHaveURL(/\/networks\/firewalls$/);
  expect(await saved()).toEqual([443]);
});

test("a firewall that is half made is not left without a question, by whatever way", async ({ page, fakeBridged }) => {
  await signIn(page, fakeBridged);
  await page.goto(`${fakeBridged.url}/networks/firewalls`);
  await page.getByRole("link", { name: "Create firewall" }).click();
  const name = page.getByRole("textbox", { name: "Name" });
  const question = page.getByRole("alertdialog", { name: "Leave this firewall unsaved?" });
  const stay = async () => {
    await expect(question).toBeVisible();
    await question.getByRole("button", { name: "Cancel" }).click();
    await expect(question).toBeHidden();
    await expect(name).toHaveValue("half made");
  };
  await name.fill("half made");
  await page.getByRole("link", { name: "Cancel" }).click();
  await stay();
  // `goBack` would wait for what is held up.
  await page.evaluate(() => history.back());
  await stay();
  await page.keyboard.press("Control+k");
  await page.getByRole("option", { name: "Images" }).click();
  await stay();

  await page.getByRole("link", { name: "Images", exact: true }).first().click();
  await question.getByRole("button", { name: "Leave without saving" }).click();
  await expect(page).toHaveURL(/\/images$/);
  await page.goto(`${fakeBridged.url}/networks/firewalls/new`);
  await page.getByRole("link", { name: "Cancel" }).click();
  await expect(page, "nothing is asked where nothing is lost").toHaveURL(/\/networks\/firewalls$/);
});
