import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type CatalogueEntry, mirroredUrl } from "../../domain/catalogue";
import { findCatalogueEntry, readCatalogue } from "./read";

const catalogue = await readCatalogue();
const byId = (id: string) => catalogue.find((entry) => entry.id === id);

test("the systems that people ask for are there, for both architectures where their makers publish them", () => {
  const both = [
    ...["ubuntu-22.04", "ubuntu-24.04", "ubuntu-26.04", "debian-12-cloud", "debian-13", "fedora-44"],
    ...["almalinux-9", "almalinux-10", "rocky-9", "rocky-10", "opensuse-leap-16.0", "alpine-3.24"],
  ];
  for (const name of both) {
    expect(byId(`${name}-x86_64`), name).toBeDefined();
    expect(byId(`${name}-aarch64`), name).toBeDefined();
  }
  expect(byId("arch-x86_64")).toBeDefined();
});

test("ids are unique, and each is its image's name and architecture", () => {
  expect(new Set(catalogue.map(({ id }) => id)).size).toBe(catalogue.length);
  for (const { id, name, arch } of catalogue) expect(id).toBe(`${name}-${arch}`);
});

test("no image of the catalogue has the name of one that Cumulus builds", () => {
  const words = catalogue.flatMap(({ name, aliases }) => [name, ...aliases]);
  expect(words).not.toContain("mini");
  expect(words).not.toContain("debian-12");
});

test("ubuntu_22.04 is a name for Ubuntu 22.04", () => {
  const found = catalogue.filter(({ aliases }) => aliases.includes("ubuntu_22.04")).map(({ id }) => id);
  expect(found).toEqual(["ubuntu-22.04-x86_64", "ubuntu-22.04-aarch64"]);
});

test("no two images have one address, and each address speaks of its architecture", () => {
  expect(new Set(catalogue.map(({ url }) => url)).size).toBe(catalogue.length);
  const words = { x86_64: /amd64|x86_64/, aarch64: /arm64|aarch64/ };
  for (const { id, arch, url } of catalogue) expect(basename(new URL(url).pathname), id).toMatch(words[arch]);
});

test("aarch64 boots by UEFI only, and sizes are of a kind that makes sense", () => {
  for (const { id, arch, firmwares, downloadBytes, minDiskBytes, minMemoryBytes } of catalogue) {
    if (arch === "aarch64") expect(firmwares, id).toEqual(["uefi"]);
    expect(downloadBytes, id).toBeGreaterThan(50 * 2 ** 20);
    expect(minDiskBytes, id).toBeGreaterThanOrEqual(2 ** 30);
    expect(minMemoryBytes, id).toBeGreaterThanOrEqual(2 ** 28);
  }
});

test("checksums lie beside their image, or on the maker's own server", () => {
  const makersServer: Record<string, string> = { "download.fedoraproject.org": "dl.fedoraproject.org" };
  const folder = (url: string) => url.slice(0, url.lastIndexOf("/"));
  for (const { id, url, checksum } of catalogue) {
    const host = new URL(url).host;
    expect(folder(checksum.url), id).toBe(folder(url.replace(host, makersServer[host] ?? host)));
  }
});

test("an id that isn't there is told", async () => {
  await expect(findCatalogueEntry("beos-5-x86_64")).rejects.toMatchObject({ code: "not_found" });
});

test("a mirror holds each host's files in a folder of the host's name", () => {
  const { url }: CatalogueEntry = catalogue[0] ?? expect.unreachable();
  expect(mirroredUrl(url, null)).toBe(url);
  expect(mirroredUrl("https://cloud-images.ubuntu.com/x", "http://mirror.lan:8080/cloud/")).toBe(
    "http://mirror.lan:8080/cloud/cloud-images.ubuntu.com/x",
  );
});

test.each([
  ["a name that is no image's name", "- name: Ubuntu 24", "name"],
  ["an unknown field", `${entryText({})}\n  colour: red`, "colour"],
  ["what is no YAML", "- [", "can't be used"],
  ["an address that isn't https", entryText({ url: "http://example.org/a.qcow2" }), "url"],
  ["the same name twice", `${entryText({})}\n${entryText({})}`, "twice"],
])("%s is told with its place", async (_, text, told) => {
  const folder = await mkdtemp(join(tmpdir(), "catalogue-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "catalogue.yaml");
  await writeFile(file, text);
  await expect(readCatalogue(file)).rejects.toThrow(told);
});

function entryText({ url = "https://example.org/a.qcow2" }: { url?: string }): string {
  return `- name: a
  title: A
  os: { family: a, release: "1" }
  endOfLife: null
  loginUser: a
  minDiskBytes: 1G
  minMemoryBytes: 1G
  images:
    x86_64:
      firmwares: [bios]
      url: ${url}
      checksum: { url: https://example.org/SUMS, algorithm: sha256, format: list }
      downloadBytes: 1G`;
}
