import { expect } from "@playwright/test";
import type { Operation } from "../../lib/domain/operation";
import type { Snapshot } from "../../lib/domain/snapshot";
import type { Vm } from "../../lib/domain/vm";
import { pathsOf } from "../../lib/env";
import { installBuiltImage } from "../../lib/images/testing/builtImage";
import { createSshClient } from "../sshClient";
import { startStack, until } from "../stack";
import { signIn, test } from "./fixtures";

test("debian-12, built on this host, lets the key's owner in and goes on from a snapshot with memory; a VM of its snapshot is a machine of its own, whose timeline tells cloud-init's stages and what failed", async ({
  page,
}) => {
  test.setTimeout(1_800_000);
  const bootMs = 900_000;
  const ssh = await createSshClient();
  const stack = await startStack({ startsParts: false });
  const ask = async <T>(method: string, path: string, body: object): Promise<T> => {
    const answer = await stack.api<T>(method, path, body);
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    return answer.body;
  };
  const ended = async ({ id }: Pick<Operation, "id">) => {
    const read = async () => (await stack.api<Operation>("GET", `/api/operations/${id}`)).body;
    await until(`operation ${id} has ended`, async () => (await read()).finishedAt !== null, 120_000);
    expect(await read()).toMatchObject({ status: "done" });
  };
  const inGuest = async (name: string, command: string) => {
    const { body } = await stack.api<{ items: Vm[] }>("GET", `/api/vms?search=${name}`);
    return await ssh.run(body.items[0]?.ssh.command ?? "", command).catch(() => "");
  };
  const readIdentity = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub";
  try {
    await installBuiltImage(pathsOf(stack.settings), { name: "debian-12", arch: "x86_64" });
    await Promise.all([stack.startPostgres(), stack.startAgent()]);
    await stack.startConsole();
    await signIn(page, stack);

    await test.step("the key's owner logs in", async () => {
      await page.goto(`${stack.url}/images`);
      await page.getByRole("link", { name: "Create a VM from Debian 12 (bookworm)" }).click();
      await page.getByLabel("Host name").fill("bookworm");
      await page.getByRole("button", { name: "Paste one for this VM alone" }).click();
      await page.getByLabel("Public keys for this VM alone").fill(ssh.publicKey);
      await page.getByRole("button", { name: "Create VM" }).click();
      await expect(page.getByRole("heading", { name: "bookworm", level: 1 })).toBeVisible();
      const system = () => inGuest("bookworm", "whoami; . /etc/os-release; echo $ID $VERSION_ID");
      await expect.poll(system, { timeout: bootMs }).toBe("debian\ndebian 12");
      await expect.poll(() => inGuest("bookworm", "cloud-init status"), { timeout: 300_000 }).toContain("done");
    });

    const original = await inGuest("bookworm", readIdentity);
    expect(original).toMatch(/^[0-9a-f]{32}\nssh-ed25519 /);
    const { body: vms } = await stack.api<{ items: Vm[] }>("GET", "/api/vms?search=bookworm");
    const path = `/api/vms/${vms.items[0]?.id}`;
    const take = async (name: string, memory: boolean): Promise<Snapshot | undefined> => {
      await ended(await ask<Operation>("POST", `${path}/snapshots`, { name, memory }));
      const { body } = await stack.api<{ items: Snapshot[] }>("GET", `${path}/snapshots`);
      return body.items.find((one) => one.name === name);
    };

    await test.step("its disk and memory come back as they were, with the clock of now", async () => {
      const boot = "cat /proc/sys/kernel/random/boot_id";
      const readNotes = `cat ~/note /dev/shm/note; ${boot}`;
      const id = await inGuest("bookworm", `echo early | tee ~/note > /dev/shm/note; sync; ${boot}`);
      const kept = await take("early", true);
      expect(kept?.consistency).toBe("memory");
      expect(await inGuest("bookworm", `echo late | tee ~/note > /dev/shm/note; sync; ${readNotes}`)).toBe(
        `late\nlate\n${id}`,
      );
      await ended(await ask<Operation>("POST", `/api/snapshots/${kept?.id}/restore`, {}));
      await expect.poll(() => inGuest("bookworm", readNotes), { timeout: 120_000 }).toBe(`early\nearly\n${id}`);
      const aheadSeconds = Number(await inGuest("bookworm", "date +%s")) - Date.now() / 1000;
      expect(Math.abs(aheadSeconds)).toBeLessThan(10);
    });

    await test.step("a VM is made of its snapshot, with a command that fails", async () => {
      const whole = await take("set up", false);
      expect(whole?.consistency).toBe("filesystem");
      await ended(await ask<Operation>("POST", `${path}/stop`, {}));
      const copy = await ask<Vm>("POST", "/api/vms", {
        ...{ name: "copied", snapshot: whole?.id, sshKeys: [ssh.publicKey] },
        userData: "#cloud-config\nruncmd: [echo out of paint; exit 3]\n",
      });
      await page.goto(`${stack.url}/vms/${copy.id}`);
    });

    await test.step("its timeline has the four stages and the module, with what was said", async () => {
      await expect(page.getByText("ready with errors", { exact: true })).toBeVisible({ timeout: bootMs });
      await expect(page.getByRole("list", { name: "Stages of the first boot" }).getByRole("listitem")).toHaveText([
        /^local.*\d/,
        /^init.*\d/,
        /^config.*\d/,
        /^final.*\d/,
      ]);
      const failure = page.getByRole("group").filter({ hasText: "scripts_user failed" });
      await failure.getByText("scripts_user failed").click();
      await expect(failure.getByText(/out of paint/)).toBeVisible();
      await expect(failure.getByText(/Failed to run module scripts-user/)).toBeVisible();
      await expect(page.getByRole("group").filter({ hasText: /failed|complained/ })).toHaveCount(1);
    });

    await test.step("machine id and host key are its own", async () => {
      await expect
        .poll(() => inGuest("copied", readIdentity), { timeout: 300_000 })
        .toMatch(/^[0-9a-f]{32}\nssh-ed25519 /);
      const [own, its] = [await inGuest("copied", readIdentity), original].map((text) => text.split("\n"));
      for (const [index, value] of own?.entries() ?? []) expect(value).not.toBe(its?.[index]);
    });
  } finally {
    await stack.stop();
    await ssh.remove();
  }
});
