import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { testHypervisor } from "../../agent/testAgent";
import { hosts } from "../../db/schema/hosts";
import { images } from "../../db/schema/images";
import { operations } from "../../db/schema/operations";
import type { ImageSource } from "../../domain/image";
import { createImageSchema } from "../../domain/imageRequest";
import { type Recipe, recipeSchema } from "../../domain/recipe";
import { type Context, systemActor } from "../context";
import { testControlPlane } from "../testControlPlane";
import { refreshImage } from "./refresh";
import { requestImage } from "./request";
import { getImage } from "./view";

const plane = testControlPlane();

async function miniOf({ db }: Context) {
  const [mini] = await db.select().from(images).where(eq(images.name, "mini"));
  if (!mini) throw new Error("The host has no mini.");
  return mini;
}

test("a recipe for the console is refused where the host has no QEMU for the image, with what to install", async () => {
  const context = await plane.hostedContextWith(testHypervisor());
  const mini = await miniOf(context);
  await context.db.update(images).set({ arch: "aarch64" }).where(eq(images.id, mini.id));
  const steps = [{ type: "console", expect: "login:", send: "root" }];
  const recipe = recipeSchema.parse({ name: "typed", title: "Typed", place: "console", steps });
  const ask = () => requestImage(context, systemActor, createImageSchema.parse({ base: mini.id, recipe }), null);
  await expect(ask()).rejects.toMatchObject({
    code: "bad_request",
    fields: { base: expect.stringContaining("apt install qemu-system-arm") },
  });
  const [host] = await context.db.select().from(hosts);
  if (!host?.report) throw new Error("The host has not reported.");
  const report = { ...host.report, guestArchs: ["x86_64" as const, "aarch64" as const], uefiArchs: undefined };
  await context.db.update(hosts).set({ report });
  expect(await ask()).toMatchObject({ kind: "image-customize", status: "pending" });
});

test("a password is no part of what is kept of a request to find it again", async () => {
  const context = await plane.hostedContextWith(testHypervisor());
  const ask = (password: string, title: string) => {
    const recipe = { name: "secret", title, steps: [{ type: "root-password", password }] };
    return requestImage(context, systemActor, createImageSchema.parse({ base: "mini", recipe }), "once");
  };
  const { id } = await ask("open sesame", "Secret");
  expect(await ask("something else", "Secret")).toMatchObject({ id });
  await expect(ask("open sesame", "Another")).rejects.toMatchObject({ code: "conflict" });
});

test("what a recipe has made under its base's name is no base of it", async () => {
  const context = await plane.hostedContextWith(testHypervisor());
  const { db } = context;
  const mini = await miniOf(context);
  const recipe: Recipe = recipeSchema.parse({
    name: "berlin",
    title: "Berlin",
    steps: [{ type: "timezone", timezone: "Europe/Berlin" }],
  });
  const source: ImageSource = { type: "recipe", baseSha256: mini.sha256, baseName: "mini", recipe: "berlin" };
  const add = async (digit: string) => {
    const { id: _id, createdAt, ...rest } = mini;
    const later = new Date(createdAt.getTime() + Number(digit) * 1000);
    const row = { ...rest, source, recipe, sha256: digit.repeat(64), createdAt: later };
    const [added] = await db.insert(images).values(row).returning();
    return added?.id ?? 0;
  };
  const [older, newer] = [await add("2"), await add("3")];
  expect((await getImage(context, older)).newerBase).toBeNull();
  const { id: operationId } = await refreshImage(context, systemActor, newer);
  const [operation] = await db.select().from(operations).where(eq(operations.id, operationId));
  expect(operation?.taskParams).toMatchObject({ base: { sha256: mini.sha256 } });
  // Asked again while it runs, it is that run.
  expect(await refreshImage(context, systemActor, newer)).toMatchObject({ id: operationId });
});
