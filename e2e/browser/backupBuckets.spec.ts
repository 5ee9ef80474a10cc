import { expect } from "@playwright/test";
import { type S3Server, startS3Server } from "../../lib/backups/testing/s3Server";
import type { BackupRepository } from "../../lib/domain/backup";
import type { Vm } from "../../lib/domain/vm";
import { until } from "../stack";
import { signIn, test } from "./fixtures";

const accessKeyId = "the-key";
const secretAccessKey = "the-secret";
let store: S3Server;
test.beforeAll(async () => {
  store = await startS3Server();
  store.secrets.set(accessKeyId, secretAccessKey);
});
test.afterAll(() => store?.close());

test("a bucket is added by its fields, a backup is copied into it, and comes back as a new VM", async ({
  page,
  fakeStack: stack,
}) => {
  await signIn(page, stack);
  const create = { name: "traveller", image: "mini", size: "nano" };
  const { body: vm } = await stack.api<Vm>("POST", "/api/vms?wait=ready", create);

  await test.step("add the bucket; a wrong secret is told at its field", async () => {
    await page.goto(`${stack.url}/settings/backups`);
    await page.getByRole("button", { name: "Add repository" }).click();
    const dialog = page.getByRole("dialog", { name: "Add a backup repository" });
    await dialog.getByRole("radio", { name: "S3 bucket" }).check();
    await dialog.getByLabel("Name").fill("Faraway");
    await dialog.getByLabel("Endpoint").fill(store.endpoint);
    await dialog.getByLabel("Bucket", { exact: true }).fill("copies");
    await dialog.getByLabel("Folder in the bucket").fill("cumulus/host");
    await dialog.getByLabel("Access key ID").fill(accessKeyId);
    await dialog.getByLabel("Secret access key").fill("not this one");
    await dialog.getByLabel("Encryption password").fill("correct horse battery");
    const add = dialog.getByRole("button", { name: "Add repository" });
    await add.click();
    await expect(dialog.getByLabel("Secret access key")).toHaveAccessibleDescription(/secret/i, { timeout: 60_000 });
    await dialog.getByLabel("Secret access key").fill(secretAccessKey);
    await add.click();
    await expect(page.getByRole("row", { name: /Faraway/ })).toContainText("copies", { timeout: 60_000 });
  });

  await test.step("what was given is what is used, and its secrets are told to nobody", async () => {
    const { body } = await stack.api<{ items: BackupRepository[] }>("GET", "/api/backup-repositories");
    const place = { kind: "s3", endpoint: store.endpoint, bucket: "copies", prefix: "cumulus/host", accessKeyId };
    expect(body.items.find(({ name }) => name === "Faraway")?.place).toEqual(place);
    expect([...store.objects.keys()]).toContain("copies/cumulus/host/config");
  });

  await test.step("back the VM up into it", async () => {
    await page.goto(`${stack.url}/vms/${vm.id}/backups`);
    await page.getByRole("button", { name: "Back up now" }).click();
    const dialog = page.getByRole("dialog", { name: "Back up traveller now" });
    await dialog.getByLabel("Repository").selectOption("Faraway");
    await dialog.getByRole("button", { name: "Back up" }).click();
    const row = page.getByRole("row", { name: /By hand/ });
    await expect(row).toContainText("Done", { timeout: 120_000 });
    await expect(row).toContainText(/in Faraway/);
  });

  await test.step("restore it into a new VM", async () => {
    await page.getByRole("button", { name: /^Restore the backup/ }).click();
    await page.getByLabel("Name of the new VM").fill("returner");
    await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
    await until("it runs", async () => {
      const { body } = await stack.api<{ items: Vm[] }>("GET", "/api/vms?search=returner");
      return body.items[0]?.status === "running";
    });
  });
});
