import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type CatalogueEntry, mirroredUrl } from "../../domain/catalogue";
import { findCatalogueEntry, readCatalogue, readCatalogueFile } from "./read";

const nowhere = { catalogue: join(tmpdir(), "no-such-folder") };
const { entries: catalogue } = await readCatalogue(nowhere);
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
  await expect(findCatalogueEntry("beos-5-x86_64", nowhere)).rejects.toMatchObject({ code: "not_found" });
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
  await expect(readCatalogueFile(file)).rejects.toThrow(told);
});

test("own files add entries and replace shipped ones of the same id; one that isn't right is told, and the others count", async () => {
  const folder = await mkdtemp(join(tmpdir(), "catalogue-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const debian = entryText({ name: "debian-13", url: "https://own.example/debian.qcow2" });
  await writeFile(join(folder, "10-own.yaml"), `${entryText({})}\n${debian}`);
  await writeFile(join(folder, "20-later.yaml"), entryText({ url: "https://own.example/a.qcow2" }));
  await writeFile(join(folder, "30-bad.yaml"), "- name: Ubuntu 24");
  await mkdir(join(folder, "40-folder.yaml"));
  await writeFile(join(folder, "notes.txt"), "- [");
  const { entries, problems } = await readCatalogue({ catalogue: folder });
  expect(entries.map(({ id }) => id)).toEqual([...catalogue.map(({ id }) => id), "a-x86_64"]);
  const urlOf = (id: string) => entries.find((entry) => entry.id === id)?.url;
  expect(urlOf("debian-13-x86_64")).toBe("https://own.example/debian.qcow2");
  expect(urlOf("debian-13-aarch64")).toBe(byId("debian-13-aarch64")?.url);
  expect(urlOf("a-x86_64")).toBe("https://own.example/a.qcow2");
  expect(problems).toEqual([
    expect.stringMatching(/30-bad\.yaml can't be used: 0\.name: /),
    expect.stringMatching(/40-folder\.yaml can't be used: EISDIR/),
  ]);
});

function entryText({ name = "a", url = "https://example.org/a.qcow2" }: { name?: string; url?: string }): string {
  return `- name: ${name}
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
