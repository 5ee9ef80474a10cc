import { expect, test } from "vitest";
import type { CatalogueItem } from "../../../lib/domain/catalogueItem";
import { filterCatalogue } from "./filterCatalogue";

const item = (name: string, arch: "x86_64" | "aarch64", title: string) =>
  ({ id: `${name}-${arch}`, name, arch, title, aliases: [name.replace("-", "_")] }) as unknown as CatalogueItem;
const items = [
  item("ubuntu-24.04", "x86_64", "Ubuntu 24.04 LTS (Noble Numbat)"),
  item("ubuntu-24.04", "aarch64", "Ubuntu 24.04 LTS (Noble Numbat)"),
  item("debian-13", "x86_64", "Debian 13 (trixie)"),
];
const ids = (...args: [arch: "all" | "x86_64" | "aarch64", text: string]) =>
  filterCatalogue(items, ...args).map(({ id }) => id);

test("all words must be found, in title, names or architecture, whatever the case", () => {
  expect(ids("all", "")).toHaveLength(3);
  expect(ids("all", "NOBLE aarch64")).toEqual(["ubuntu-24.04-aarch64"]);
  expect(ids("all", "ubuntu_24")).toHaveLength(2);
  expect(ids("all", "ubuntu-24.04-x86_64")).toEqual(["ubuntu-24.04-x86_64"]);
  expect(ids("all", "windows")).toEqual([]);
});

test("an architecture leaves its own", () => {
  expect(ids("aarch64", "")).toEqual(["ubuntu-24.04-aarch64"]);
  expect(ids("aarch64", "debian")).toEqual([]);
});
