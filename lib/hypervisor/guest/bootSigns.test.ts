import { expect, test } from "vitest";
import { type BootSign, BootSignReader } from "./bootSigns";

function signsOf(...chunks: (string | Buffer)[]): BootSign[] {
  const seen: BootSign[] = [];
  const reader = new BootSignReader((sign) => seen.push(sign));
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return seen;
}

test("signs are read from the built-in image, a kernel's log and cloud-init", () => {
  const lines: [string, BootSign[]][] = [
    ["cumulus: kernel 6.1.0 up", [{ step: "kernel" }]],
    ["[    0.000000] Linux version 6.1.0-30-cloud-amd64 (debian-kernel)", [{ step: "kernel" }]],
    ["cumulus: network up 192.168.0.2", [{ step: "network" }]],
    ["ci-info: |  eth0  | True |      192.168.0.2     |", [{ step: "network" }]],
    ["ci-info: |   lo   | True |       127.0.0.1      |", []],
    ["cumulus: first boot done in 1.2 s", [{ step: "first-boot" }]],
    ["Cloud-init v. 22.4.2 finished at Thu, 01 Jan 2030 00:00:00 +0000.", [{ step: "first-boot" }]],
    ["cumulus: first boot failed: runcmd: exit 3", [{ error: { module: "runcmd", lines: ["exit 3"] } }]],
    [
      "cumulus: note: packages: mini has no package manager",
      [{ warning: { module: "packages", lines: ["mini has no package manager"] } }],
    ],
    [
      "ci-info: ++++++Authorized keys from /home/opensuse/.ssh/authorized_keys for user opensuse++++++",
      [{ keyUser: "opensuse" }],
    ],
    [
      "[   41.2] cloud-init[512]: ci-info: +Authorized keys from /root/.ssh/authorized_keys for user root+",
      [{ keyUser: "root" }],
    ],
    ["ci-info: no authorized SSH keys fingerprints found for user debian.", []],
    ["ci-info: +Authorized keys from /x for user $(reboot)+", []],
    ["login:", []],
  ];
  for (const [line, signs] of lines) expect(signsOf(`${line}\r\n`)).toEqual(signs);
});

test("signs are found however the bytes are cut, and after a line without an end", () => {
  const bytes = [...Buffer.from("\r\ncumulus: network up\r\ncumulus: boot done\r\n")].map((byte) =>
    Buffer.from([byte]),
  );
  expect(signsOf(Buffer.alloc(10_000, "x"), ...bytes)).toEqual([{ step: "network" }, { step: "first-boot" }]);
});
