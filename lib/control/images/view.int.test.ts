import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { testHypervisor } from "../../agent/testAgent";
import { images } from "../../db/schema/images";
import type { ImageSource } from "../../domain/image";
import { testControlPlane } from "../testControlPlane";
import { getImage } from "./view";

const plane = testControlPlane();

test("a recipe's image tells when what it was made from has a newer build", async () => {
  const { db, ...context } = await plane.hostedContextWith(testHypervisor());
  const [mini] = await db.select().from(images).where(eq(images.name, "mini"));
  if (!mini) throw new Error("The host has no mini.");
  const add = async (name: string, digit: string, source: ImageSource) => {
    const { id: _id, createdAt, ...rest } = mini;
    const later = new Date(createdAt.getTime() + Number(digit) * 1000);
    const row = { ...rest, name, source, sha256: digit.repeat(64), createdAt: later };
    const [added] = await db.insert(images).values(row).returning();
    return added?.id ?? 0;
  };
  const source = { type: "recipe", baseSha256: mini.sha256, baseName: "mini", recipe: "berlin" } as const;
  const derived = await add("berlin", "2", source);
  const newerBase = async () => (await getImage({ db, ...context }, derived)).newerBase;
  expect(await newerBase()).toBeNull();
  const newer = await add("mini", "3", mini.source);
  expect(await newerBase()).toEqual({ id: newer, name: "mini", title: mini.title });
});
