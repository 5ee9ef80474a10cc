import { expect, test } from "vitest";
import { testHypervisor } from "../../agent/testAgent";
import type { ImageManifest } from "../../domain/image";
import { fakeImage } from "../../hypervisor/fakeHost";
import { readCatalogue } from "../../images/catalogue/read";
import { testControlPlane } from "../testControlPlane";
import { resolveImage } from "./resolve";
import { takeUpImages } from "./takeUp";

const plane = testControlPlane();

test("Debian's further names mean the debian-12 that was built here, until the maker's own image is here too", async () => {
  const { entries } = await readCatalogue({ catalogue: "/nonexistent" });
  const entry = entries.find(({ id }) => id === "debian-12-cloud-x86_64") ?? expect.unreachable();
  const { id: catalogueId, name, aliases, url } = entry;
  const source = { type: "catalogue", catalogueId, url, checksum: "" } as const;
  const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000).toISOString();
  const makersOwn = { ...fakeImage, name, aliases, source, sha256: "b".repeat(64), createdAt: yesterday };
  const present: ImageManifest[] = [{ ...fakeImage, name: "debian-12", createdAt: new Date().toISOString() }];
  const context = await plane.hostedContextWith({ ...testHypervisor(), listImages: async () => present });
  const meant = async (wanted: string) => (await resolveImage(context.db, wanted)).name;
  for (const alias of aliases) expect(await meant(alias), alias).toBe("debian-12");
  present.push(makersOwn);
  await takeUpImages(context);
  for (const alias of aliases) expect(await meant(alias), alias).toBe("debian-12-cloud");
  expect(await meant("debian-12")).toBe("debian-12");
});
