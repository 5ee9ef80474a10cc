import { describe, expect, test } from "vitest";
import { GIB } from "../../../lib/domain/units";
import { createVmSchema } from "../../../lib/domain/vm";
import { type CreateForm, problemsOf, requestOf } from "./createForm";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f laptop";

const form = (changes: Partial<CreateForm> = {}): CreateForm => ({
  name: "calm-otter",
  image: "mini",
  size: "small",
  custom: { vcpus: "2", memory: "1.5 GiB", disk: "12G" },
  savedKeys: [],
  ownKeys: "",
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
    ];
    const request = requestOf(form({ savedKeys: ["laptop"], ownKeys: `\n${key}\n`, userData: "#!/bin/sh", files }));
    expect(request).toMatchObject({
      sshKeys: ["laptop", key],
      userData: "#!/bin/sh",
      files: [
        { path: "/etc/motd", content: "hello" },
        { path: "/root/run", content: "#!/bin/sh", permissions: "0755" },
      ],
    });
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

  test("tells which of several pasted keys is none", () => {
    expect(problemsOf(form({ ownKeys: key }))).toEqual({});
    expect(problemsOf(form({ ownKeys: `${key}\nssh-rsa nonsense` })).sshKeys).toMatch(/^Key 2: /);
    expect(problemsOf(form({ ownKeys: "-----BEGIN OPENSSH PRIVATE KEY-----" })).sshKeys).toMatch(/private key/);
  });
});
