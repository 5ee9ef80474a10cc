import { describe, expect, test } from "vitest";
import { GIB } from "../../../lib/domain/units";
import { createVmSchema } from "../../../lib/domain/vm";
import { type CreateForm, problemsOf, requestOf, withoutPasswords } from "./createForm";
import { emptyFirstBootForm } from "./firstBootForm";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f laptop";

const form = (changes: Partial<CreateForm> = {}): CreateForm => ({
  name: "calm-otter",
  image: "mini",
  size: "small",
  custom: { vcpus: "2", memory: "1.5 GiB", disk: "12G" },
  savedKeys: [],
  ownKeys: "",
  firmware: null,
  network: null,
  ipv4: "",
  firewalls: [],
  ...emptyFirstBootForm,
  userData: "",
  files: [],
  ...changes,
});

describe("the create form", () => {
  test("asks the server for no more than was filled in", () => {
    expect(requestOf(form())).toEqual({ name: "calm-otter", image: "mini", size: "small" });
  });

  test("sends custom values instead of a size, in a form that the server reads", () => {
    const request = requestOf(form({ size: null }));
    expect(request).toEqual({ name: "calm-otter", image: "mini", vcpus: 2, memory: "1.5 GiB", disk: "12G" });
    expect(createVmSchema.parse(request)).toMatchObject({ memory: 1.5 * GIB, disk: 12 * GIB });
  });

  test("sends keys by name and by text, user data and files", () => {
    const files = [
      { key: 1, path: "/etc/motd", content: "hello", permissions: "" },
      { key: 2, path: "/root/run", content: "#!/bin/sh", permissions: "0755" },
      { key: 3, path: "/srv/logo", content: "AP8=", encoding: "base64" as const, permissions: "" },
    ];
    const request = requestOf(form({ savedKeys: ["laptop"], ownKeys: `\n${key}\n`, userData: "#!/bin/sh", files }));
    expect(request).toMatchObject({
      sshKeys: ["laptop", key],
      userData: "#!/bin/sh",
      files: [
        { path: "/etc/motd", content: "hello" },
        { path: "/root/run", content: "#!/bin/sh", permissions: "0755" },
        { path: "/srv/logo", content: "AP8=", encoding: "base64" },
      ],
    });
    expect(createVmSchema.safeParse(request).success).toBe(true);
  });

  test("has no problems when the server's own schema has none", () => {
    expect(problemsOf(form())).toEqual({});
    expect(problemsOf(form({ size: null }))).toEqual({});
  });

  test("says each problem at its field", () => {
    const problems = problemsOf(
      form({
        name: "Calm Otter",
        image: null,
        size: null,
        custom: { vcpus: "many", memory: "lots", disk: "1K" },
        files: [{ key: 1, path: "relative", content: "", permissions: "9" }],
      }),
    );
    expect(Object.keys(problems).sort()).toEqual([
      "disk",
      "files.0.path",
      "files.0.permissions",
      "image",
      "memory",
      "name",
      "vcpus",
    ]);
    expect(problems.vcpus).toBe("Give a number from 1 to 64.");
  });

  test("asks of the first boot what was filled in", () => {
    const ada = { key: 1, name: "ada", sudo: true, sshKeys: `laptop\n${key}`, password: "lovelace" };
    const request = requestOf(form({ users: [ada], packages: "git, htop\n vim", timezone: " UTC ", firmware: "uefi" }));
    expect(request).toEqual({
      ...{ name: "calm-otter", image: "mini", size: "small", firmware: "uefi" },
      users: [{ name: "ada", sudo: true, sshKeys: ["laptop", key], password: "lovelace" }],
      packages: ["git", "htop", "vim"],
      timezone: "UTC",
    });
    expect(createVmSchema.safeParse(request).success).toBe(true);
    expect(JSON.stringify(withoutPasswords(request))).not.toContain("lovelace");
  });

  test("asks for an address, and says when that is none", () => {
    expect(requestOf(form({ network: "lab", ipv4: " 10.9.0.20 " }))).toMatchObject({
      network: "lab",
      ipv4: "10.9.0.20",
    });
    expect(problemsOf(form({ ipv4: "10.9.0.20" }))).toEqual({});
    expect(Object.keys(problemsOf(form({ ipv4: "10.9.0.256" })))).toEqual(["ipv4"]);
  });

  test("says what is wrong with a package and with a user at their fields", () => {
    const user = { key: 1, name: "Ada", sudo: false, sshKeys: "x".repeat(80), password: "" };
    const problems = problemsOf(form({ users: [user], packages: "git -y", timezone: "Nowhere" }));
    expect(Object.keys(problems).sort()).toEqual(["packages", "timezone", "users.0.name", "users.0.sshKeys"]);
    expect(problems.packages).toMatch(/^-y: /);
  });

  test("tells which of several pasted keys is none", () => {
    expect(problemsOf(form({ ownKeys: key }))).toEqual({});
    expect(problemsOf(form({ ownKeys: `${key}\nssh-rsa nonsense` })).sshKeys).toMatch(/^Key 2: /);
    expect(problemsOf(form({ ownKeys: "-----BEGIN OPENSSH PRIVATE KEY-----" })).sshKeys).toMatch(/private key/);
  });
});
