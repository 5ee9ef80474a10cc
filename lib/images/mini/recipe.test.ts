import { execa } from "execa";
import { expect, test } from "vitest";
import { filesUnder } from "../sourceFiles";
import { parseModinfo } from "./modules";
import { guestDir, isFollowed, miniRecipeHash } from "./recipe";
import { appletsOf } from "./root";

test("the recipe's hash is the same each time, and another one for another architecture", () => {
  expect(miniRecipeHash("x86_64")).toBe(miniRecipeHash("x86_64"));
  expect(miniRecipeHash("x86_64")).not.toBe(miniRecipeHash("aarch64"));
  expect(miniRecipeHash("x86_64")).toMatch(/^[0-9a-f]{64}$/);
});

test("dependencies are followed to libraries and to the kernel, not to the tools of maintainer scripts", () => {
  const followed = [
    "libc6",
    "zlib1g",
    "libssl3t64",
    "linux-image-6.1.0-9-cloud-amd64",
    "linux-modules-6.8.0-31-generic",
  ];
  expect(followed.filter(isFollowed)).toEqual(followed);
  expect(["debconf", "perl-base", "linux-base", "initramfs-tools", "libperl5.36"].filter(isFollowed)).toEqual([]);
});

test("a module's dependencies and aliases are read from its .modinfo", () => {
  const content = Buffer.from(
    "\x7fELF…\0alias=virtio:d00000001v*\0depends=net_failover,virtio\0alias=x y\0name=virtio_net\0",
  );
  expect(parseModinfo(content)).toEqual({ depends: ["net_failover", "virtio"], aliases: ["virtio:d00000001v*"] });
  expect(parseModinfo(Buffer.from("\0depends=\0")).depends).toEqual([]);
});

test("BusyBox' applets are read from its table of names", () => {
  expect(appletsOf(Buffer.from("text\0[\0[[\0acpid\0zcat\0\0more"))).toEqual(["[", "[[", "acpid", "zcat"]);
  expect(() => appletsOf(Buffer.from("no table"))).toThrow("no table of applets");
});

test("every script of the guest parses as shell", async () => {
  const isScript = (file: string) => /\/(cumulus|initramfs|sbin|PWRF)\/[^.]+$/.test(file.slice(guestDir.length));
  const scripts = filesUnder(guestDir).filter(isScript);
  expect(scripts.length).toBeGreaterThan(10);
  for (const script of scripts) await execa("sh", ["-n", script]);
});
