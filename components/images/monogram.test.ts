import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { projectDir } from "../../lib/paths";
import { monogramOf } from "./monogram";

test("a monogram is short and tells systems and releases apart", () => {
  const cases = {
    "Cumulus mini": "Cm",
    "Debian 12 (bookworm)": "D12",
    "Ubuntu 24.04 LTS": "U24",
    "Fedora 44 Cloud": "F44",
    "Rocky Linux 10": "R10",
    "AlmaLinux 10": "AL10",
    "AlmaLinux 9": "AL9",
    "Alpine Linux 3.24": "A24",
    "Arch Linux": "Ar",
    "openSUSE Leap 16.0": "SU16",
    "openSUSE Tumbleweed": "SU",
    Alpine: "Al",
    constructor: "Co",
    X: "X",
    "": "",
  };
  for (const [title, monogram] of Object.entries(cases)) expect(monogramOf(title)).toBe(monogram);
});

test("no two systems of the catalogue have the same", () => {
  const catalogue = readFileSync(`${projectDir}/lib/images/catalogue/catalogue.yaml`, "utf8");
  const titles = [...catalogue.matchAll(/^ {2}title: (.+)$/gm)].map(([, title = ""]) => title);
  expect(titles.length).toBeGreaterThan(10);
  expect(new Set(titles.map(monogramOf)).size).toBe(titles.length);
});
