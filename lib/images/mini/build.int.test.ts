import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { labAccessFile, ownIdentityCommand } from "../../domain/ownIdentity";
import { buildMini, type MiniImage } from "./build";
import { Guest, type GuestOptions } from "./guest.testKit";

const mac = "52:54:00:00:00:01";
const staticNetwork = {
  version: 2,
  ethernets: {
    id0: {
      match: { macaddress: mac.toUpperCase() },
      "set-name": "eth0",
      addresses: ["10.0.2.77/24"],
      routes: [{ to: "default", via: "10.0.2.2" }],
      nameservers: { addresses: ["10.0.2.3"], search: ["cloud.internal"] },
    },
  },
};

let dir: string;
let image: MiniImage;
let publicKey: string;
const guests: Guest[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "mini-"));
  image = await buildMini({ workDir: join(dir, "image"), arch: "x86_64", log: () => undefined });
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "it's a key", "-f", join(dir, "key")]);
  publicKey = (await readFile(join(dir, "key.pub"), "utf8")).trim();
});

afterEach(async () => {
  for (const guest of guests.splice(0)) await guest.kill();
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function start(name: string, options: Omit<GuestOptions, "dir" | "image" | "identity">): Promise<Guest> {
  const guest = await Guest.start({ dir: join(dir, name), image: image.path, identity: join(dir, "key"), ...options });
  guests.push(guest);
  return guest;
}

const seedOf = (instanceId: string, hostname: string, userData: Record<string, unknown> | string) => ({
  metaData: { "instance-id": instanceId, "local-hostname": hostname },
  userData,
});

// Each boot takes 4 s; the deadline is for a machine that has much else to do.
describe("the image mini", { timeout: 400_000 }, () => {
  test("is small, private, and all that the build leaves", async () => {
    expect(image.fileBytes).toBeLessThan(40 * 1024 ** 2);
    expect(await readdir(join(dir, "image"))).toEqual(["mini-x86_64.qcow2"]);
    const { stdout } = await execa("qemu-img", ["info", "-f", "qcow2", "--output=json", image.path]);
    expect(JSON.parse(stdout)).toMatchObject({ "virtual-size": image.virtualSizeBytes, format: "qcow2" });
    expect(JSON.parse(stdout)).not.toHaveProperty("backing-filename");
  });

  test("is the same file, byte for byte, when it is built again of the same packages", async () => {
    const again = await buildMini({ workDir: join(dir, "again"), arch: "x86_64", log: () => undefined });
    const sha256Of = async (path: string) =>
      createHash("sha256")
        .update(await readFile(path))
        .digest("hex");
    expect(await sha256Of(again.path)).toBe(await sha256Of(image.path));
  });

  test("becomes what its seed says, once, and keeps what is written to its disk", async () => {
    const userData = {
      timezone: "Europe/Berlin",
      ssh_authorized_keys: [publicKey],
      users: [
        "default",
        {
          name: "ada",
          gecos: "Ada L.",
          groups: "adm, builders",
          shell: "/bin/bash",
          sudo: ["ALL=(ALL) NOPASSWD:ALL"],
          ssh_authorized_keys: [publicKey],
        },
        { name: "bob", plain_text_passwd: "b'ob $1", lock_passwd: false },
        { name: "carol", plain_text_passwd: "carol", lock_passwd: true },
      ],
      chpasswd: {
        expire: false,
        list: "root:r00t pass\n",
        users: [{ name: "ada", password: "lovelace", type: "text" }],
      },
      ssh_pwauth: true,
      write_files: [
        {
          path: "/etc/greeting",
          content: "Grüße,\n$(touch /tmp/injected) 'x' \\n\n",
          permissions: "0640",
          owner: "root:adm",
        },
        { path: "/srv/a b/b64", content: "YmFzZTY0", encoding: "b64", owner: "ada" },
        { path: "/srv/gz", content: "H4sIAAAAAAAAA8soLQEAHHulvAMAAAA=", encoding: "gz+b64", permissions: "0600" },
        { path: "/etc/greeting", content: "appended\n", append: true },
      ],
      runcmd: [
        "echo as string > /srv/string",
        ["sh", "-c", 'echo "$0|$1" > /srv/list', "a b", "it's"],
        "echo $((40 + 2)) > /srv/sum",
      ],
    };
    const seed = { ...seedOf("i-1", "web-1", userData), networkConfig: staticNetwork };
    let guest = await start("main", { seed, diskSize: "3G", address: "10.0.2.77" });
    await guest.waitForSerial(/^cumulus: boot done$/m);
    const serial = await guest.serial();
    expect(serial).toMatch(/Linux version [\s\S]*^cumulus: kernel \d[\s\S]*^cumulus: network up eth0 10\.0\.2\.77$/m);
    expect(serial).toMatch(/^cumulus: first boot done in \d+\.\d+ s$/m);
    expect(serial).not.toContain("failed");

    expect(await guest.ssh("ada", "hostname; id -un; id -Gn; sudo -n id -un; grep -c . ~/.ssh/authorized_keys")).toBe(
      "web-1\nada\nada adm builders\nroot\n1",
    );
    expect(await guest.ssh("bob", "id -un", "b'ob $1")).toBe("bob");
    expect(await guest.ssh("root", "id -un", "r00t pass")).toBe("root");
    expect(await guest.ssh("ada", "id -un", "lovelace")).toBe("ada");
    await expect(guest.ssh("carol", "id", "carol")).rejects.toThrow(/Permission denied/);

    const files = "cat /etc/greeting /srv/string /srv/list /srv/sum; cat '/srv/a b/b64'; cat /srv/gz; ls /tmp";
    expect(await guest.ssh("root", files)).toBe(
      "Grüße,\n$(touch /tmp/injected) 'x' \\n\nappended\nas string\na b|it's\n42\nbase64hut",
    );
    expect(await guest.ssh("root", "stat -c '%a %U:%G' /etc/greeting '/srv/a b/b64' /srv/gz")).toBe(
      "644 root:root\n644 ada:root\n600 root:root",
    );
    expect(await guest.ssh("root", "date +%Z; ip -4 route show default; cat /etc/resolv.conf")).toMatch(
      /^CES?T\ndefault via 10\.0\.2\.2 dev eth0 \nsearch cloud\.internal\nnameserver 10\.0\.2\.3$/,
    );
    expect(Number(await guest.ssh("root", "df -m / | awk 'END { print $2 }'"))).toBeGreaterThan(2800);
    // A name is looked up by the static BusyBox too, which loads the C library's resolver for it.
    expect(await guest.ssh("root", "ping -c 1 -W 2 web-1 | head -n 1; sudo id -un")).toMatch(
      /^PING web-1 \(127.*\nroot$/,
    );
    await guest.pingAgent();

    const hostKey = await guest.hostKey();
    expect(hostKey).toMatch(/^ssh-ed25519 /);
    // As lab mode leaves it.
    await guest.ssh("root", `mkdir -p /etc/ssh/sshd_config.d; touch ${labAccessFile}`);
    await guest.ssh("root", "echo kept > /root/kept; echo own > /srv/string; reboot");
    await guest.waitForSerial(/cumulus: kernel [\s\S]*cumulus: kernel [\s\S]*^cumulus: boot done$/m);
    expect(await guest.ssh("ada", "sudo cat /root/kept /srv/string; hostname")).toBe("kept\nown\nweb-1");
    expect(await guest.ssh("root", `ls ${labAccessFile}`, "r00t pass")).toBe(labAccessFile);
    expect(await guest.hostKey()).toBe(hostKey);
    expect((await guest.serial()).match(/first boot done/g)).toHaveLength(1);

    await guest.qmp("system_powerdown");
    await guest.exited();
    expect(await guest.serial()).toContain("reboot: Power down");

    // A copy of the disk under a new instance id is another machine: with keys of its own, and what was on the disk.
    guest = await start("main", { seed: seedOf("i-2", "web-2", { ssh_authorized_keys: [publicKey] }) });
    await guest.waitForSerial(/^cumulus: boot done$/m);
    expect(await guest.serial()).toMatch(/^cumulus: first boot done in/m);
    const unclean = "dmesg | grep -c EXT4.*recovery || true";
    expect(await guest.ssh("root", `hostname; cat /root/kept; grep -c . ~/.ssh/authorized_keys; ${unclean}`)).toBe(
      "web-2\nkept\n1\n0",
    );
    expect(await guest.ssh("root", "grep ^root: /etc/shadow | cut -d : -f 2; ls /etc/ssh/sshd_config.d")).toBe("*");
    expect(await guest.hostKey()).not.toBe(hostKey);
  });

  test("does its first boot wholly again when it was killed in the middle of it", async () => {
    const userData = {
      ssh_authorized_keys: [publicKey],
      users: [{ name: "ada", sudo: "ALL=(ALL) NOPASSWD:ALL", ssh_authorized_keys: [publicKey] }],
      write_files: [
        { path: "/srv/appended", content: "one\n" },
        { path: "/srv/appended", content: "two\n", append: true },
        { path: "/etc/hosts", content: "10.9.9.9 friend\n", append: true },
      ],
      runcmd: [
        "echo run >> /srv/runs",
        "if [ ! -e /srv/first ]; then touch /srv/first; sync; echo HALF WAY > /dev/console; sleep 600; fi",
      ],
    };
    const seed = seedOf("i-1", "phoenix", userData);
    let guest = await start("killed", { seed });
    await guest.waitForSerial(/HALF WAY/);
    const hostKey = await guest.hostKey();
    expect(await guest.serial()).not.toMatch(/boot done/);
    await guest.kill();

    guest = await start("killed", { seed });
    await guest.waitForSerial(/^cumulus: first boot done in .*\n+cumulus: boot done$/m);
    expect(await guest.ssh("ada", "cat /srv/appended /srv/runs; grep -c friend /etc/hosts; sudo -n id -un")).toBe(
      "one\ntwo\nrun\nrun\n1\nroot",
    );
    expect(await guest.hostKey()).toBe(hostKey);
  });

  test("goes on when a module fails, and says which; commands that restart it don't run again", async () => {
    const userData = {
      ssh_authorized_keys: [publicKey],
      packages: ["nginx"],
      bootcmd: [ownIdentityCommand, "date"],
      timezone: "Mars/Olympus",
      write_files: [
        { path: "/srv/x", content: "?", encoding: "rot13" },
        { path: "/srv/y", content: "y" },
      ],
      runcmd: ["echo run >> /srv/runs", "reboot", "sleep 600"],
    };
    const guest = await start("failing", { seed: seedOf("i-1", "marvin", userData), memoryMiB: 128 });
    await guest.waitForSerial(/^cumulus: boot done$/m);
    const serial = await guest.serial();
    expect(serial).toMatch(/^cumulus: network up eth0 10\.0\.2\.15$/m);
    expect(serial).toMatch(/^cumulus: note: packages: mini has no package manager: nginx not installed$/m);
    expect(serial).toMatch(/^cumulus: note: user-data: bootcmd is not supported by mini$/m);
    expect(serial).toMatch(/^cumulus: first boot failed: timezone: there is no time zone Mars\/Olympus$/m);
    expect(serial).toMatch(
      /^cumulus: first boot failed: write_files: \/srv\/x: the encoding rot13 is not supported by mini$/m,
    );
    expect(serial).not.toMatch(/first boot done/);
    expect(await guest.ssh("root", "cat /srv/y /srv/runs; ls /srv")).toBe("yrun\nruns\ny");
    await expect(guest.ssh("root", "id", "")).rejects.toThrow(/Permission denied/);
  });

  test("names several cards as network-config says, gives others an address alone, and runs a script that is the user-data", async () => {
    const macs = [1, 2, 3, 4].map((number) => `52:54:00:00:00:0${number}`);
    const networkConfig = {
      version: 2,
      ethernets: {
        a: { match: { macaddress: macs[0] }, "set-name": "eth1", dhcp4: true },
        b: { match: { macaddress: macs[1] }, "set-name": "eth0", addresses: ["10.7.0.5/16", "fd00::5/64"] },
        // The name that the last card has by itself.
        c: { match: { macaddress: macs[2] }, "set-name": "eth3", addresses: ["10.8.0.5/16"] },
      },
    };
    const userData = '#!/bin/sh\necho "script $(id -un) é" > /srv/script\necho first\necho "no good" >&2\nexit 3\n';
    const seed = { ...seedOf("i-1", "router", userData), networkConfig };
    seed.metaData = { ...seed.metaData, "public-keys": [publicKey] } as typeof seed.metaData;
    const guest = await start("cards", { seed, macs });
    await guest.waitForSerial(/^cumulus: boot done$/m);
    await guest.waitForSerial(/^cumulus: network up eth1 10\.0\.2\.15$/m);
    const serial = await guest.serial();
    expect(serial).toMatch(/^cumulus: network up eth0 10\.7\.0\.5$/m);
    expect(serial).toMatch(/^cumulus: first boot failed: user-script: exit status 3: no good /m);
    expect(
      await guest.ssh(
        "root",
        "cat /srv/script /sys/class/net/eth0/address; ip -6 address show dev eth0 | grep -c fd00::5/64",
      ),
    ).toBe(`script root é\n${macs[1]}\n1`);
    await guest.waitForSerial(/^cumulus: network up other-eth3 10\.0\.2\.15$/m);
    expect(await guest.ssh("root", "ip route | grep ^default")).toMatch(/^default via 10\.0\.2\.2 dev eth1 *$/);
    const byHand =
      "ip address flush dev other-eth3; udhcpc -n -q -i other-eth3 2>&1; ip -4 address show dev other-eth3";
    expect(await guest.ssh("root", byHand)).toContain("inet 10.0.2.15/24");
  });

  test("boots without a seed, and on a disk of the image's own size; the serial console takes a login, whatever else is started meanwhile", async () => {
    let guest = await start("bare", { seed: null, diskSize: "512M" });
    await guest.waitForSerial(/^cumulus: network up eth0 10\.0\.2\.15$/m);
    await guest.waitForSerial(/^cumulus: boot done$/m);
    await guest.pingAgent();
    expect(await guest.hostKey()).toMatch(/^ssh-ed25519 /);
    await guest.kill();

    const userData = {
      chpasswd: {
        list: ["root:$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g."],
      },
    };
    const seed = seedOf("i-1", "bare", userData);
    seed.metaData = { ...seed.metaData, "public-keys": [publicKey] } as typeof seed.metaData;
    guest = await start("bare", { seed });
    await guest.waitForSerial(/bare login: $/);
    const restartAgent =
      "old=$(pidof qemu-ga); kill $old; while [ $(pidof qemu-ga || echo $old) = $old ]; do sleep 0.1; done";
    await guest.ssh("root", restartAgent);
    await guest.type("root\r");
    await guest.waitForSerial(/bare login: root\s+Password: $/);
    await guest.type("password\r");
    await guest.waitForSerial(/root@bare/);
    await guest.type("poweroff\r");
    await guest.exited();
  });
});
