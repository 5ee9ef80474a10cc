import { expect, test } from "vitest";
import { broughtProblems, broughtRequestOf, emptyBroughtImage, guessFromFile } from "./broughtImage";

test("a file's name tells what it can", () => {
  expect(guessFromFile("Fedora-Cloud-44.aarch64.qcow2")).toEqual({
    name: "fedora-cloud-44.aarch64",
    kind: "disk",
    arch: "aarch64",
  });
  expect(guessFromFile("debian-13 netinst amd64.iso")).toMatchObject({ name: "debian-13-netinst-amd64", kind: "iso" });
  expect(guessFromFile("disk.img.xz")).toEqual({ name: "disk", kind: "disk" });
});

test("what was left empty is not sent", () => {
  expect(broughtRequestOf({ ...emptyBroughtImage, name: " mine " })).toEqual({
    name: "mine",
    kind: "disk",
    arch: "x86_64",
    firmware: "bios",
  });
  expect(broughtRequestOf({ ...emptyBroughtImage, name: "a", arch: "aarch64" }).firmware).toBe("uefi");
});

test("problems are told by field before anything is sent", () => {
  expect(broughtProblems({ ...emptyBroughtImage, name: "mine" })).toEqual({});
  const problems = broughtProblems({ ...emptyBroughtImage, name: "My Image", checksum: "md5:1", minMemory: "much" });
  expect(Object.keys(problems).sort()).toEqual(["checksum", "minMemory", "name"]);
});
