import { chmod, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import type { ImageManifest } from "../../domain/image";
import { labAccessFile, ownIdentityCommand } from "../../domain/ownIdentity";
import { recipeSchema } from "../../domain/recipe";
import { pathsOf } from "../../env";
import { findFirmware } from "../../hypervisor/qemu/firmware";
import { slowTest } from "../../system/testing/slowTests";
import { Guest } from "../mini/guest.testKit";
import { customizeImage } from "../recipes/customize";
import { exampleRecipes } from "../recipes/examples";
import { imageFile } from "../store";
import { testAppliance } from "../testing/appliance";
import { installBuiltImage } from "../testing/builtImage";
import { type DebRepository, serveDebs } from "../testing/debRepository";

let dir: string;
let paths: ReturnType<typeof pathsOf>;
let base: ImageManifest;
let image: ImageManifest;
let repository: DebRepository;
const guests: Guest[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "debian-"));
  paths = { ...pathsOf({ dataDir: join(dir, "data"), runDir: join(dir, "run") }), appliance: testAppliance };
  // The machine that changes a disk belongs to a user who passes through.
  await mkdir(join(dir, "data"));
  for (const folder of [dir, join(dir, "data")]) await chmod(folder, 0o711);
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", join(dir, "key")]);
  base = await installBuiltImage(paths, { name: "debian-12", arch: "x86_64" });
  const example = exampleRecipes().find(({ name }) => name === "os-cloud-welcome");
  if (!example) throw new Error("There is no example os-cloud-welcome.");
  repository = await serveDebs(["in-the-disk", "at-first-boot"]);
  const sources = { type: "file", path: "/etc/apt/sources.list", permissions: "0644" } as const;
  const steps = [
    { type: "script", script: "#!/bin/sh\ngrep -c ^deb /etc/apt/sources.list >/srv/sources\n" },
    // As libguestfs' machine reaches this computer, and as a guest does.
    { ...sources, content: repository.sourceLine("169.254.2.2") },
    { type: "packages", packages: ["in-the-disk"] },
    { ...sources, content: repository.sourceLine("10.0.2.2") },
    { type: "locale", locale: "de_DE.UTF-8" },
    { type: "timezone", timezone: "Asia/Kathmandu" },
    { type: "script", script: "#!/bin/sh\ncat /usr/share/in-the-disk/hello >/srv/script\n" },
    { type: "script", script: "#!/bin/sh\ncp /etc/machine-id /srv/machine-id-of-the-image\n" },
  ];
  const recipe = recipeSchema.parse({ ...example, steps: [...example.steps, ...steps] });
  image = await customizeImage(
    { base, recipe, names: { name: "debian-welcome" } },
    {
      paths,
      workDir: join(paths.staging, "image-1"),
      accelerator: { kind: "tcg", cpuModel: "max", reason: "" },
      report: { progress: () => {}, log: () => {} },
      signal: new AbortController().signal,
    },
  );
}, 900_000);

afterEach(async () => {
  for (const guest of guests.splice(0)) await guest.kill();
});

afterAll(async () => {
  await repository?.close();
  await rm(dir, { recursive: true, force: true });
});

const macOf = (index: number) => `52:54:00:00:00:0${index + 1}`;

function networkOf(addresses: string[]): Record<string, unknown> {
  const ethernets = addresses.map((address, index) => {
    const name = `eth${index}`;
    return [name, { match: { macaddress: macOf(index) }, "set-name": name, addresses: [address] }];
  });
  return { version: 2, ethernets: Object.fromEntries(ethernets) };
}

/** @param addresses of its cards, which the seed names eth0, eth1 and so on */
async function start(addresses: string[], options: Partial<Parameters<typeof Guest.start>[0]> = {}): Promise<Guest> {
  const publicKey = (await readFile(join(dir, "key.pub"), "utf8")).trim();
  const guest = await Guest.start({
    dir: join(dir, "guest"),
    image: imageFile(paths, image.sha256),
    identity: join(dir, "key"),
    diskSize: "5G",
    memoryMiB: 1024,
    macs: addresses.map((_, index) => macOf(index)),
    seed: {
      metaData: { "instance-id": "i-debian", "local-hostname": "deb" },
      userData: {
        ssh_authorized_keys: [publicKey],
        disable_root: false,
        updates: { network: { when: ["boot"] } },
        users: ["default", { name: "ada", ssh_authorized_keys: [publicKey], sudo: "ALL=(ALL) NOPASSWD:ALL" }],
        packages: ["at-first-boot"],
        locale: "fr_FR.UTF-8",
        bootcmd: [ownIdentityCommand],
        runcmd: ["echo done > /srv/runcmd"],
      },
      networkConfig: networkOf(addresses),
    },
    ...options,
  });
  guests.push(guest);
  return guest;
}

const identity = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub";

// Half a minute to SSH on a quiet computer under emulation; the deadlines are for one that has much else to do.
describe("the image debian-12", { timeout: 1_800_000 }, () => {
  slowTest(
    "becomes what its seed says without an error, greets by the recipe, turns off at the power button, boots by UEFI too, and then sets up one card more",
    async () => {
      let guest = await start(["10.0.2.15/24"]);
      await guest.waitForSerial(/Cloud-init v\. \S+ finished at/, 900_000);
      expect(await guest.ssh("debian", "cloud-init status --wait; sudo -n id -un; hostname")).toBe(
        "status: done\nroot\ndeb",
      );
      expect(await guest.ssh("ada", "sudo -n cat /srv/runcmd")).toBe("done");
      expect(await guest.ssh("root", "systemctl list-units --failed --plain --no-legend | wc -l")).toBe("0");
      expect(Number(await guest.ssh("root", "df -m --output=size / | tail -n 1"))).toBeGreaterThan(4700);
      expect(await guest.ssh("root", "cat /sys/class/tty/console/active")).toBe("tty0 ttyS0");
      // Locale, time zone and packages: of the recipe, and of the first boot.
      expect(await guest.ssh("root", "cat /srv/sources /srv/script /usr/share/at-first-boot/hello; date +%z")).toBe(
        "3\nhello from in-the-disk\nhello from at-first-boot\n+0545",
      );
      expect(
        await guest.ssh(
          "root",
          "LC_ALL=C locale -a; cat /etc/default/locale; LC_ALL=de_DE.UTF-8 date -d 2026-03-01 +%B",
        ),
      ).toBe("C\nC.utf8\nPOSIX\nde_DE.utf8\nfr_FR.utf8\nLANG=fr_FR.UTF-8\nMärz");
      expect(await guest.login("debian")).toContain("This machine lives in OS Cloud.");
      await guest.pingAgent();
      const before = await guest.ssh("root", identity);
      expect(before).toMatch(/^[0-9a-f]{32}\nssh-ed25519 /);
      // libguestfs gives a disk that it changes a machine id, which is not to be that of each VM.
      const ofImage = await guest.ssh("root", "cat /srv/machine-id-of-the-image");
      expect(ofImage).toMatch(/^[0-9a-f]{32}$/);
      expect(before).not.toContain(ofImage);
      await guest.qmp("system_powerdown");
      await guest.exited(300_000);

      const uefi = await findFirmware("x86_64", "uefi");
      guest = await start(["10.0.2.15/24", "10.9.0.5/16"], { ...(uefi && { uefi }) });
      await guest.waitForSerial(/deb login: $/m, 900_000);
      await guest.waitForSerial(/Cloud-init v\. \S+ finished at/, 900_000);
      expect(await guest.ssh("root", "ls -d /sys/firmware/efi; cloud-init status")).toBe(
        "/sys/firmware/efi\nstatus: done",
      );
      expect(await guest.ssh("root", identity)).toBe(before);
      expect(await guest.ssh("root", "ip -4 -brief address show dev eth1")).toMatch(/^eth1 +UP +10\.9\.0\.5\/16$/);
    },
  );

  slowTest(
    "keeps the machine id that its first boot made, and gives a copy of its disk another one, other host keys, and no password of lab mode, once",
    async () => {
      const publicKey = (await readFile(join(dir, "key.pub"), "utf8")).trim();
      const address = "10.0.2.15/24";
      const boot = async (instance: string) => {
        const userData = {
          ...{ ssh_authorized_keys: [publicKey], disable_root: false },
          bootcmd: [ownIdentityCommand, "echo $INSTANCE_ID >>/srv/boots"],
        };
        const guest = await start([address], {
          dir: join(dir, "copied"),
          image: imageFile(paths, base.sha256),
          seed: {
            metaData: { "instance-id": instance, "local-hostname": "deb" },
            userData,
            networkConfig: networkOf([address]),
          },
        });
        await guest.waitForSerial(/Cloud-init v\. \S+ finished at/, 900_000);
        const [machineId = "", hostKey = ""] = (await guest.ssh("root", identity)).split("\n");
        expect(await guest.ssh("root", "cloud-init status --wait")).toMatch(/status: done$/);
        return { guest, machineId, hostKey };
      };
      const turnOff = async (guest: Guest) => {
        await guest.qmp("system_powerdown");
        await guest.exited(300_000);
      };

      const original = await boot("i-original");
      // All that was logged since the kernel's first word was logged under one id.
      expect(await original.guest.ssh("root", "journalctl --field _MACHINE_ID")).toBe(original.machineId);
      const letIn = `mkdir -p /etc/ssh/sshd_config.d; touch ${labAccessFile}; echo root:123456 | chpasswd`;
      const access = `grep ^root: /etc/shadow | cut -d : -f 2 | cut -c 1-3; ls -1 ${labAccessFile} 2>/dev/null || true`;
      await original.guest.ssh("root", letIn);
      await turnOff(original.guest);

      const copy = await boot("i-copy");
      expect(copy.machineId).toMatch(/^[0-9a-f]{32}$/);
      expect(copy.machineId).not.toBe(original.machineId);
      expect(copy.hostKey).toMatch(/^ssh-ed25519 /);
      expect(copy.hostKey).not.toBe(original.hostKey);
      // The password of lab mode, which everybody knows, is no way into a copy; what is set up there afterwards stays.
      expect(await copy.guest.ssh("root", access)).toBe("*");
      await copy.guest.ssh("root", letIn);
      const logged = (what: string, text: string) => `journalctl --boot --output cat ${what} | grep -c "${text}"`;
      const early = logged("--dmesg", "^Linux version");
      const late = logged("--unit ssh", "^Server listening on 0.0.0.0");
      expect(await copy.guest.ssh("root", `${early}; ${late}; ls /var/log/journal`)).toBe(`1\n1\n${copy.machineId}`);
      expect(await copy.guest.ssh("root", "systemctl list-units --failed --plain --no-legend | wc -l")).toBe("0");
      // As in a VM that had its first boot before its seed asked for this.
      await copy.guest.ssh("root", "rm /var/lib/cloud/instance/sem/bootper.cumulus_machine_id.instance");
      await turnOff(copy.guest);

      const again = await boot("i-copy");
      expect([again.machineId, again.hostKey]).toEqual([copy.machineId, copy.hostKey]);
      expect(await again.guest.ssh("root", access)).toBe(`$y$\n${labAccessFile}`);
      expect(await again.guest.ssh("root", "cat /srv/boots")).toBe("i-original\ni-copy\ni-copy");
    },
  );
});
