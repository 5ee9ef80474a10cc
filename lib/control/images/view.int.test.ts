import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { testHypervisor } from "../../agent/testAgent";
import { images } from "../../db/schema/images";
import { type ImageSource, isOutOfDate } from "../../domain/image";
import { fakeImage, fakeIso } from "../../hypervisor/fakeHost";
import { recipeHashOf } from "../../images/buildImage";
import { testControlPlane } from "../testControlPlane";
import { takeUpImages } from "./takeUp";
import { getImage, listImages } from "./view";

const plane = testControlPlane();

test("a recipe's image tells when what it was made from has a newer build", async () => {
  const { context, mini, add } = await withMini();
  const source = { type: "recipe", baseSha256: mini.sha256, baseName: "mini", recipe: "berlin" } as const;
  const derived = await add("berlin", "2", source);
  const newerBase = async () => (await getImage(context, derived)).newerBase;
  expect(await newerBase()).toBeNull();
  const newer = await add("mini", "3", mini.source);
  expect(await newerBase()).toEqual({ id: newer, name: "mini", title: mini.title });
});

test("an image whose recipe ran on an older build of its base is out of date in the list", async () => {
  const { context, mini, add } = await withMini();
  const onFirst = { type: "recipe", baseSha256: mini.sha256, baseName: "mini", recipe: "berlin" } as const;
  const derived = await add("of-the-first", "5", onFirst);
  const newer = await add("mini", "6", mini.source);
  const current = await add("of-the-second", "7", { ...onFirst, baseSha256: "6".repeat(64) });
  const listed = await listImages(context);
  const badgeOf = (id: number) => {
    const image = listed.find((one) => one.id === id) ?? expect.unreachable();
    return { newerBaseId: image.newerBaseId, isOutOfDate: isOutOfDate(image) };
  };
  expect(badgeOf(derived)).toEqual({ newerBaseId: newer, isOutOfDate: true });
  expect(badgeOf(current)).toEqual({ newerBaseId: null, isOutOfDate: false });
});

test("an image that its recipe made of that recipe's own image is offered no older one for it", async () => {
  const { context, mini, add } = await withMini();
  const madeFrom = (digit: string, recipe: string) =>
    ({ type: "recipe", baseSha256: digit.repeat(64), baseName: "web", recipe }) as const;
  await add("web", "2", { type: "recipe", baseSha256: mini.sha256, baseName: "mini", recipe: "setup" });
  const base = await add("web", "3", madeFrom("2", "upgrade"));
  const last = await add("web", "4", madeFrom("3", "upgrade"));
  expect((await getImage(context, last)).newerBase).toBeNull();
  await context.db.update(images).set({ deletedAt: new Date() }).where(eq(images.id, base));
  expect((await getImage(context, last)).newerBase).toBeNull();
});

/** @returns also a way to add images that are newer the higher their digit is, of which their checksums are made */
async function withMini() {
  const context = await plane.hostedContextWith(testHypervisor());
  const [mini] = await context.db.select().from(images).where(eq(images.name, "mini"));
  if (!mini) throw new Error("The host has no mini.");
  const add = async (name: string, digit: string, source: ImageSource) => {
    const { id: _id, createdAt, ...rest } = mini;
    const later = new Date(createdAt.getTime() + Number(digit) * 1000);
    const row = { ...rest, name, source, sha256: digit.repeat(64), createdAt: later };
    const [added] = await context.db.insert(images).values(row).returning();
    return added?.id ?? 0;
  };
  return { context, mini, add };
}

test("an image that was built here over a month ago is out of date, until it is built again", async () => {
  let createdAt = new Date(Date.now() - 31 * 24 * 60 * 60 * 1000).toISOString();
  const host = {
    ...testHypervisor(),
    listImages: async () => [
      { ...fakeImage, createdAt },
      { ...fakeIso, createdAt },
    ],
  };
  const context = await plane.hostedContextWith(host);
  const shown = async () => {
    await takeUpImages(context);
    return Object.fromEntries((await listImages(context)).map(({ name, newerBuild }) => [name, newerBuild]));
  };
  expect(await shown()).toMatchObject({ installer: null, mini: "age" });
  // The same bytes may come of it.
  createdAt = new Date().toISOString();
  expect(await shown()).toMatchObject({ installer: null, mini: null });
});

test("an image that was built by another recipe than this version's is out of date, without being asked for", async () => {
  let recipeHash: string | null = "f".repeat(64);
  const host = { ...testHypervisor(), listImages: async () => [{ ...fakeImage, recipeHash }] };
  const context = await plane.hostedContextWith(host);
  const shown = async () => {
    await takeUpImages(context);
    return (await listImages(context)).find(({ sha256 }) => sha256 === fakeImage.sha256)?.newerBuild;
  };
  expect(await shown()).toBe("recipe");
  recipeHash = recipeHashOf({ name: "mini", arch: "x86_64" });
  expect(await shown()).toBeNull();
});
