import { expect, test } from "vitest";
import { type BootSign, BootSignReader, bootSignsIn } from "./bootSigns";

test("signs are read from the built-in image, a kernel's log and cloud-init", () => {
  const lines: [string, BootSign[]][] = [
    ["cumulus: kernel 6.1.0 up", [{ step: "kernel" }]],
    ["[    0.000000] Linux version 6.1.0-30-cloud-amd64 (debian-kernel)", [{ step: "kernel" }]],
    ["cumulus: network up 192.168.0.2", [{ step: "network" }]],
    ["ci-info: |  eth0  | True |      192.168.0.2     |", [{ step: "network" }]],
    ["ci-info: |   lo   | True |       127.0.0.1      |", []],
    ["cumulus: first boot done in 1.2 s", [{ step: "first-boot" }]],
    ["Cloud-init v. 22.4.2 finished at Thu, 01 Jan 2030 00:00:00 +0000.", [{ step: "first-boot" }]],
    ["cumulus: first boot failed: runcmd: exit 3", [{ firstBootError: "runcmd: exit 3" }]],
    ["login:", []],
  ];
  for (const [line, signs] of lines) expect(bootSignsIn(line)).toEqual(signs);
});

test("signs are found however the bytes are cut, and after a line without an end", () => {
  const seen: BootSign[] = [];
  const reader = new BootSignReader((sign) => seen.push(sign));
  reader.push(Buffer.alloc(10_000, "x"));
  for (const byte of Buffer.from("\r\ncumulus: network up\r\ncumulus: boot done\r\n")) reader.push(Buffer.from([byte]));
  expect(seen).toEqual([{ step: "network" }, { step: "first-boot" }]);
});
