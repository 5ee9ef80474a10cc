import { describe, expect, test } from "vitest";
import { noFirstBoot } from "./firstBoot";
import { seedOf } from "./seed";
import { judgeUserData, mergeCloudConfig, parseUserData } from "./userData";

describe("user data", () => {
  test("a cloud-config is read, a script is taken as it is", () => {
    expect(parseUserData("#cloud-config\npackages: [htop]\n")).toMatchObject({
      kind: "cloud-config",
      config: { packages: ["htop"] },
    });
    expect(parseUserData("#!/bin/sh\necho hi\n")).toMatchObject({ kind: "script" });
    expect(parseUserData("#cloud-config\n")).toMatchObject({ kind: "cloud-config", config: {} });
  });

  test.each<[string, string, number | null]>([
    ["no header", "packages: [htop]", 1],
    ["a broken list", "#cloud-config\nusers: [\n", 3],
    ["a tab", "#cloud-config\nusers:\n\t- x", 3],
    ["a list at the top", "#cloud-config\n- a\n", 2],
    ["runcmd as text", "#cloud-config\nhostname: x\nruncmd: echo\n", 3],
    ["a NUL", "#cloud-config\n\0", null],
    ["a MIME archive", "Content-Type: multipart/mixed\n", 1],
  ])("%s is refused, with the line", (_what, text, line) => {
    const parsed = parseUserData(text);
    expect(parsed.kind).toBe("invalid");
    expect(parsed.problems[0]?.line).toBe(line);
  });

  test.each<[string, string, number | null, RegExp]>([
    ["a file without a path", "write_files:\n  - path: /a\n  - hello", 4, /a file is keys and values with a "path"/],
    ["a file of a list", "write_files: [{path: /a, content: [b]}]", 2, /"content" is text/],
    ["a user that is a number", "users:\n  - default\n  - 7", 4, /a user is a name/],
    ["a command with a colon", "runcmd:\n  - ls\n  - echo a: b", 4, /a command is text, or a list of words/],
    ["a command that is a number", "bootcmd: [7]", 2, /a command is text/],
    ["a command of lists", "runcmd: [[ls, [a]]]", 2, /a command is text/],
    ["a package that is a number", "packages: [7]", 2, /a package is a name/],
    ["a package of three words", "packages: [[a, b, c]]", 2, /a package is a name/],
    ["a package manager without a list", "packages: [{apt: nginx}]", 2, /a package is a name/],
    ["a key that is none", "ssh_authorized_keys: [{a: b}]", 2, /a key is text/],
    ["a list under another name", "a: &a [7]\nusers: *a", 3, /a user is a name/],
    ["a list as a time zone", "hostname: x\ntimezone: [x]", 3, /"timezone" must be text/],
    ["keys as a switch", "package_update: {a: b}", 2, /"package_update" must be true or false/],
  ])("%s is refused, with the line", (_what, text, line, message) => {
    const { problems } = judgeUserData(`#cloud-config\n${text}\n`);
    expect(problems).toEqual([{ line, message: expect.stringMatching(message) }]);
  });

  test("all forms that cloud-init takes are taken without a word", () => {
    const text = `#cloud-config
users: [default, "ada, bob", [eve], {name: joe, sudo: null}, {snapuser: a@example.org}, {sudo: true}]
write_files: [{path: /a}, {path: /b, content: hi, permissions: 0644, defer: true}]
runcmd: [ls, [sleep, 5], null, [date, -s, 2026-03-01]]
bootcmd: []
packages: [nginx, [libc6, 2.36], {apt: [curl, [jq, "1.6"]], snap: [[yq, --edge]]}]
ssh_authorized_keys: [ssh-ed25519 AAAA me]
locale: false
hostname: web
package_update: true
ssh_pwauth: "yes"
growpart: {mode: auto}
`;
    expect(judgeUserData(text)).toEqual({ problems: [], warnings: [] });
    expect(judgeUserData("#!/bin/sh\npackges: [nginx]\n")).toEqual({ problems: [], warnings: [] });
  });

  test("a date is the text that it is written as, and a file of bytes is in base64", () => {
    const text = `#cloud-config
runcmd: [[date, -s, 2026-03-01]]
write_files:
  - {path: /a, content: !!binary aGkK}
  - {path: /b, encoding: gzip, content: !!binary aGkK}
  - {path: /c, content: hi}
`;
    expect(judgeUserData(text)).toEqual({ problems: [], warnings: [] });
    expect(parseUserData(text)).toMatchObject({
      config: {
        runcmd: [["date", "-s", "2026-03-01"]],
        write_files: [
          { path: "/a", content: "aGkK", encoding: "b64" },
          { path: "/b", content: "aGkK", encoding: "gz+b64" },
          { path: "/c", content: "hi" },
        ],
      },
    });
  });

  test("a key that is none of cloud-init's is told with its line, and taken", () => {
    expect(judgeUserData('#cloud-config\npackages: [a]\n"packges": [nginx]\n')).toEqual({
      problems: [],
      warnings: [{ line: 3, message: expect.stringContaining('no key "packges"') }],
    });
  });

  test("what was taken before is still read as a cloud-config when its VM starts", () => {
    const text = "#cloud-config\nusers: [7]\n";
    expect(judgeUserData(text).problems).toHaveLength(1);
    expect(parseUserData(text)).toMatchObject({ kind: "cloud-config", config: { users: [7] } });
  });

  test("aliases that would grow without end are refused", () => {
    const bomb = `#cloud-config\na: &a [x,x,x,x,x,x,x,x,x]\n${[..."bcdefgh"]
      .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[index]}`)}]`)
      .join("\n")}`;
    expect(parseUserData(bomb).kind).toBe("invalid");
  });

  test("lists of both are ours followed by theirs; other keys are theirs", () => {
    const merged = mergeCloudConfig(
      { runcmd: ["a"], hostname: "x" },
      { runcmd: ["b"], hostname: "y", timezone: "UTC" },
    );
    expect(merged).toEqual({ runcmd: ["a", "b"], hostname: "y", timezone: "UTC" });
  });
});

test("a seed of a network with IPv6 holds both addresses and both ways out, of further interfaces the addresses alone", () => {
  const { networkConfig } = seedOf({
    ...{ uuid: "u", hostname: "web", loginUser: "root", publicKeys: [], userData: null, files: [], userShell: null },
    ...{ firstBoot: noFirstBoot, mac: "52:54:00:00:00:01", ipv4: "192.168.0.2", cidr: "192.168.0.0/24" },
    ...{ gateway: "192.168.0.1", dns: "192.168.0.1", ipv6: { address: "fd00::c0a8:2", gateway: "fd00::1" } },
    further: [{ id: "net1", mac: "52:54:00:00:00:09", ipv4: "10.0.0.9", cidr: "10.0.0.0/22", ipv6: "fd01::a00:9" }],
  });
  expect(networkConfig.ethernets).toMatchObject({
    eth0: {
      addresses: ["192.168.0.2/24", "fd00::c0a8:2/64"],
      routes: [
        { to: "0.0.0.0/0", via: "192.168.0.1" },
        { to: "::/0", via: "fd00::1" },
      ],
    },
    eth1: { addresses: ["10.0.0.9/22", "fd01::a00:9/64"] },
  });
});

test("a seed holds the keys besides whatever the user asks for, and matches the interface by MAC", () => {
  const seed = seedOf({
    uuid: "u",
    hostname: "web",
    loginUser: "root",
    publicKeys: ["ssh-ed25519 AAAA me"],
    userData: "#!/bin/sh\necho hi\n",
    files: [],
    firstBoot: noFirstBoot,
    userShell: null,
    mac: "52:54:00:00:00:01",
    ipv4: "192.168.0.2",
    cidr: "192.168.0.0/24",
    gateway: "192.168.0.1",
    dns: "192.168.0.254",
    searchDomain: "default.internal",
    further: [{ id: "net1", mac: "52:54:00:00:00:09", ipv4: "10.0.0.9", cidr: "10.0.0.0/22" }],
  });
  expect(seed.metaData).toEqual({ "instance-id": "u", "local-hostname": "web" });
  expect(seed.userData).toMatchObject({
    cloudConfig: { ssh_authorized_keys: ["ssh-ed25519 AAAA me"], runcmd: [["/var/lib/cumulus/user-data"]] },
  });
  expect(seed.networkConfig).toMatchObject({
    ethernets: {
      eth0: {
        match: { macaddress: "52:54:00:00:00:01" },
        addresses: ["192.168.0.2/24"],
        nameservers: { addresses: ["192.168.0.254"], search: ["default.internal"] },
      },
      eth1: { match: { macaddress: "52:54:00:00:00:09" }, "set-name": "eth1", addresses: ["10.0.0.9/22"] },
    },
  });
});
