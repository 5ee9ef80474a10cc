import { expect, test } from "vitest";
import { broughtImageOf, broughtProblems, broughtRequestOf, emptyBroughtImage, guessFromFile } from "./broughtImage";

test("a file's name tells what it can", () => {
  expect(guessFromFile("Fedora-Cloud-44.aarch64.qcow2")).toEqual({
    name: "fedora-cloud-44.aarch64",
    kind: "disk",
    arch: "aarch64",
  });
  expect(guessFromFile("debian-13 netinst amd64.iso")).toMatchObject({ name: "debian-13-netinst-amd64", kind: "iso" });
  expect(guessFromFile("Netinst.ISO.xz")).toEqual({ name: "netinst", kind: "iso" });
  expect(guessFromFile("disk.img.xz")).toEqual({ name: "disk", kind: "disk" });
});

const empty = broughtImageOf(emptyBroughtImage, "x86_64");

test("the architecture is the host's own until somebody chooses one", () => {
  expect(broughtRequestOf(broughtImageOf(emptyBroughtImage, "aarch64"))).toMatchObject({
    arch: "aarch64",
    firmware: "uefi",
  });
  expect(broughtImageOf({ ...emptyBroughtImage, arch: "x86_64" }, "aarch64").arch).toBe("x86_64");
});

test("what was left empty is not sent", () => {
  expect(broughtRequestOf({ ...empty, name: " mine " })).toEqual({
    name: "mine",
    kind: "disk",
    arch: "x86_64",
    firmware: "bios",
  });
  expect(broughtRequestOf({ ...empty, name: "a", arch: "aarch64" }).firmware).toBe("uefi");
});

test("problems are told by field before anything is sent", () => {
  expect(broughtProblems({ ...empty, name: "mine" })).toEqual({});
  const problems = broughtProblems({ ...empty, name: "My Image", checksum: "md5:1", minMemory: "much" });
  expect(Object.keys(problems).sort()).toEqual(["checksum", "minMemory", "name"]);
});
