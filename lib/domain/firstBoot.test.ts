import { describe, expect, test } from "vitest";
import { firstBootInputSchema, noFirstBoot } from "./firstBoot";
import { ownIdentityCommand } from "./ownIdentity";
import { cloudConfigOf } from "./seed";
import { checkUserData } from "./userDataCheck";

const problemsOf = (input: unknown) =>
  firstBootInputSchema.safeParse(input).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];

describe("what is asked of a first boot", () => {
  test.each<[string, unknown]>([
    ["timezone: ", { timezone: "Mars/Olympus" }],
    ["timezone: ", { timezone: "../../etc/passwd" }],
    ['timezone: Write it "Europe/Berlin".', { timezone: "europe/berlin" }],
    ["locale: ", { locale: "German" }],
    ["packages.0: ", { packages: ["-y"] }],
    ["packages.1: ", { packages: ["htop", "a b"] }],
    ["password: ", { password: "two\nlines" }],
    ["password: ", { password: "" }],
    ["users.0.name: ", { users: [{ name: "Ada" }] }],
    ["users.0.name: root is there already", { users: [{ name: "root" }] }],
    ["users: Two users", { users: [{ name: "ada" }, { name: "ada" }] }],
    ["users.0.sshKeys.0: ", { users: [{ name: "ada", sshKeys: [""] }] }],
  ])("is refused at its field: %s", (expected, input) => {
    expect(problemsOf(input).join("\n")).toContain(expected);
  });

  test("is taken when it can be had", () => {
    expect(
      problemsOf({
        timezone: "America/Argentina/Buenos_Aires",
        locale: "de_DE.UTF-8",
        packages: ["g++", "python3.11", "NetworkManager", "nginx=1.22.1-9"],
        users: [{ name: "ada", sudo: true }],
        password: "correct horse",
      }),
    ).toEqual([]);
    expect(problemsOf({ timezone: "UTC", locale: "C.UTF-8" })).toEqual([]);
  });
});

const firstBoot = {
  passwordHash: "$6$salt$hash",
  users: [{ name: "ada", sudo: true, publicKeys: ["ssh-ed25519 AAAA ada"], passwordHash: "$6$salt$hers" }],
  timezone: "Europe/Berlin",
  locale: "de_DE.UTF-8",
  packages: ["htop"],
};
const input = {
  hostname: "web",
  loginUser: "debian",
  publicKeys: [],
  files: [],
  userShell: "/bin/bash",
  userData: null,
};

describe("the cloud-config", () => {
  test("asks for nothing that wasn't asked for", () => {
    const config = cloudConfigOf({ ...input, firstBoot: noFirstBoot });
    expect(Object.keys(config).sort()).toEqual(["bootcmd", "disable_root", "hostname", "ssh_pwauth", "updates"]);
  });

  test("lists keys where there are some: cloud-init complains of an empty list", () => {
    const config = cloudConfigOf({ ...input, publicKeys: ["ssh-ed25519 AAAA ada"], firstBoot: noFirstBoot });
    expect(config.ssh_authorized_keys).toEqual(["ssh-ed25519 AAAA ada"]);
  });

  test("makes users beside the image's own, and sets passwords by their hashes", () => {
    expect(cloudConfigOf({ ...input, firstBoot })).toMatchObject({
      users: [
        "default",
        {
          name: "ada",
          lock_passwd: false,
          hashed_passwd: "$6$salt$hers",
          sudo: "ALL=(ALL) NOPASSWD:ALL",
          ssh_authorized_keys: ["ssh-ed25519 AAAA ada"],
        },
      ],
      password: "$6$salt$hash",
      chpasswd: { expire: false },
      timezone: "Europe/Berlin",
      locale: "de_DE.UTF-8",
      packages: ["htop"],
    });
  });

  const passwordsOf = (changes: object) => {
    const { password, chpasswd } = cloudConfigOf({ ...input, firstBoot: { ...firstBoot, users: [] }, ...changes });
    return { password, chpasswd };
  };
  const byName = (name: string) => ({
    password: undefined,
    chpasswd: { expire: false, users: [{ name, password: "$6$salt$hash", type: "hash" }] },
  });

  test("sets the password of the user that the system has by default, whatever the image says of the name", () => {
    const ofDefault = { password: "$6$salt$hash", chpasswd: { expire: false } };
    expect(passwordsOf({})).toEqual(ofDefault);
    expect(passwordsOf({ userData: "#!/bin/sh\n" })).toEqual(ofDefault);
    for (const users of ["[bob, default]", "[{name: default, uid: 7}]"]) {
      expect(passwordsOf({ userData: `#cloud-config\nusers: ${users}\n` })).toEqual(ofDefault);
    }
    expect(passwordsOf({ firstBoot, userData: "#cloud-config\nusers: [bob]\n" })).toEqual(ofDefault);
  });

  test("sets the password by name of root, and where the user data takes the default user away", () => {
    expect(passwordsOf({ loginUser: "root" })).toEqual(byName("root"));
    expect(passwordsOf({ userData: "#cloud-config\nusers: [{name: debian}]\n" })).toEqual(byName("debian"));
    expect(passwordsOf({ userData: "#cloud-config\nusers: []\n" })).toEqual(byName("debian"));
  });

  test("has the user data's password where it gives one, and keeps ours where it says when passwords end", () => {
    for (const loginUser of ["debian", "root"]) {
      const userData = "#cloud-config\npassword: own\n";
      expect(passwordsOf({ loginUser, userData })).toEqual({ password: "own", chpasswd: undefined });
    }
    expect(passwordsOf({ userData: "#cloud-config\nchpasswd: {expire: true}\n" })).toEqual({
      password: "$6$salt$hash",
      chpasswd: { expire: true },
    });
  });

  test("has cloud-init write a file's bytes when it is given as base64", () => {
    const bytes = { path: "/srv/logo", content: "AP8=", encoding: "base64" as const };
    const text = { path: "/srv/text", content: "AP8=", encoding: "utf8" as const };
    const userData = "#cloud-config\nwrite_files: [{path: /srv/own, content: own}]\n";
    const config = cloudConfigOf({ ...input, firstBoot: noFirstBoot, files: [bytes, text], userData });
    expect(config.write_files).toEqual([
      { path: "/srv/logo", content: "AP8=", encoding: "b64", permissions: "0644" },
      { path: "/srv/text", content: "AP8=", permissions: "0644" },
      { path: "/srv/own", content: "own" },
    ]);
  });

  test("is the user data's where that says something, and both where it adds", () => {
    const userData = "#cloud-config\ntimezone: UTC\npackages: [nginx]\nusers: [default, {name: ada, uid: 7}, bob]\n";
    const config = cloudConfigOf({ ...input, firstBoot, userData });
    expect(config).toMatchObject({ timezone: "UTC", packages: ["htop", "nginx"] });
    expect(config.users).toEqual(["default", { name: "ada", uid: 7 }, "bob"]);
  });

  test("gives the guest a machine id of its own before whatever the user data does at each boot", () => {
    const userData = "#cloud-config\nbootcmd: [[modprobe, nbd]]\n";
    const config = cloudConfigOf({ ...input, firstBoot: noFirstBoot, userData });
    expect(config.bootcmd).toEqual([ownIdentityCommand, ["modprobe", "nbd"]]);
  });
});

test("a preview tells what the guest gets, and no password and no bytes that are no text", () => {
  const { valid, preview } = checkUserData({
    userData: "",
    loginUser: "debian",
    files: [
      { path: "/etc/motd", content: "Welcome." },
      { path: "/srv/logo", content: "AP8=", encoding: "base64" },
    ],
    password: "s3cret",
    users: [{ name: "ada", sudo: false, sshKeys: ["laptop"], password: "s3cret too" }],
    packages: ["htop"],
  });
  expect(valid).toBe(true);
  expect(preview).toMatch(/^#cloud-config\n/);
  expect(preview).toContain("name: ada");
  expect(preview).toContain("- htop");
  expect(preview).toContain("path: /etc/motd");
  expect(preview).toContain("content: (binary, 2 B)");
  expect(preview).not.toContain("s3cret");
});

test("a preview gives users the shell that those of the image's operating system get", () => {
  const users = [{ name: "ada", sudo: false, sshKeys: [] }];
  const previewOf = (osFamily?: string) =>
    checkUserData({ userData: "", loginUser: "root", osFamily, files: [], users }).preview;
  expect(previewOf("debian")).toContain("shell: /bin/bash");
  expect(previewOf()).toContain("shell: /bin/bash");
  expect(previewOf("alpine")).not.toContain("shell:");
});
