import { expect, test } from "vitest";
import { findChecksum } from "./checksums";

const a = "a".repeat(64);
const b = "b".repeat(64);
const long = "c".repeat(128);

test("SHA256SUMS as Ubuntu writes it, and SHA512SUMS as Debian does", () => {
  const ubuntu = `${a} *ubuntu-24.04-server-cloudimg-arm64.img\n${b} *ubuntu-24.04-server-cloudimg-amd64.img\n`;
  expect(findChecksum(ubuntu, "ubuntu-24.04-server-cloudimg-amd64.img", { algorithm: "sha256", format: "list" })).toBe(
    b,
  );
  const debian = `${long}  debian-13-genericcloud-amd64.qcow2\n`;
  expect(findChecksum(debian, "debian-13-genericcloud-amd64.qcow2", { algorithm: "sha512", format: "list" })).toBe(
    long,
  );
});

test("CHECKSUM in BSD style, also within a signed message", () => {
  const fedora = [
    "-----BEGIN PGP SIGNED MESSAGE-----",
    "Hash: SHA256",
    "",
    "# Fedora-Cloud-Base-Generic-44-1.7.x86_64.qcow2: 583729152 bytes",
    `SHA256 (Fedora-Cloud-Base-Generic-44-1.7.x86_64.qcow2) = ${a.toUpperCase()}`,
    `SHA256 (Fedora-Cloud-Base-UEFI-UKI-44-1.7.x86_64.qcow2) = ${b}`,
    "-----BEGIN PGP SIGNATURE-----",
  ].join("\r\n");
  const name = "Fedora-Cloud-Base-Generic-44-1.7.x86_64.qcow2";
  expect(findChecksum(fedora, name, { algorithm: "sha256", format: "list" })).toBe(a);
});

test("a hash of another algorithm is never taken", () => {
  const text = `SHA256 (a) = ${a}\nSHA512 (b) = ${a}\n${a}  c\n`;
  for (const name of ["a", "b", "c"]) {
    expect(findChecksum(text, name, { algorithm: "sha512", format: "list" }), name).toBeUndefined();
  }
});

test("a file of one image's hash, with or without a name", () => {
  const single = { algorithm: "sha256", format: "single" } as const;
  expect(findChecksum(`${a}  Leap-16.0-Build16.2.qcow2\n`, "Leap-16.0.qcow2", single)).toBe(a);
  expect(findChecksum(`${a}\n`, "x", single)).toBe(a);
  expect(findChecksum(`${a}\n`, "x", { algorithm: "sha512", format: "single" })).toBeUndefined();
  expect(findChecksum(`${long}\n`, "x", single)).toBeUndefined();
});

test("another file's hash is never taken, however alike the names are", () => {
  const list = { algorithm: "sha256", format: "list" } as const;
  for (const other of ["disk.qcow2.sig", "my-disk.qcow2", "disk_qcow2", "DISK.qcow2", "old/disk.qcow2"]) {
    expect(findChecksum(`${a}  ${other}\n`, "disk.qcow2", list), other).toBeUndefined();
  }
  expect(findChecksum(`${a}  ./disk.qcow2\n`, "disk.qcow2", list)).toBe(a);
  expect(findChecksum(`<html>${a}  disk.qcow2</html>`, "disk.qcow2", list)).toBeUndefined();
});
