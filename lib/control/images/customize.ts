import { createHash } from "node:crypto";
import { eq } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { recipes } from "../../db/schema/images";
import { CumulusError } from "../../domain/errors";
import type { Host } from "../../domain/host";
import type { CreateImage } from "../../domain/imageRequest";
import { passwordTypedBy, type Recipe, whyNotByHost, withHashedPasswords } from "../../domain/recipe";
import { hashPassword } from "../passwordHash";
import { lackFor } from "../vms/firmware";
import type { ImageTask } from "./request";
import { resolveImage } from "./resolve";
import type { ImageRow } from "./view";

/**
 * Derives an image from another one by a recipe, a saved one or one of the request's own.
 * @throws `bad_request` with fields: there is no such recipe or base, or the host can't do it
 */
export async function recipeTask(tx: Queryable, input: CreateImage, host: Host): Promise<ImageTask> {
  const { recipe: wanted, base = "", name, title, description } = input;
  const recipe =
    typeof wanted === "object" ? withHashedPasswords(wanted, hashPassword) : await savedRecipe(tx, wanted ?? 0);
  const image = await resolveImage(tx, base, { field: "base" });
  const whyNot = whyNotBy(host, recipe, image);
  if (whyNot !== null) throw new CumulusError("bad_request", whyNot, { fields: { base: whyNot } });
  return customizeTask(image, recipe, { name, title, description });
}

function whyNotBy({ name, report }: Host, recipe: Recipe, { arch, firmware }: ImageRow): string | null {
  const whyNot = whyNotByHost(recipe, arch, report?.arch ?? "x86_64");
  if (whyNot !== null || report === null || recipe.place !== "console") return whyNot;
  return lackFor({ name, report }, arch, firmware)?.message ?? null;
}

/** @param names of the new image; the recipe's own where they are not given */
export function customizeTask(
  base: ImageRow,
  recipe: Recipe,
  names: { name?: string | undefined; title?: string | undefined; description?: string | undefined },
): ImageTask {
  const params = { base: { sha256: base.sha256, name: base.name }, recipe, names };
  const task = { kind: "image-customize", params, subject: names.name ?? recipe.name } as const;
  // The key stays when what was asked for goes, and is quick to guess.
  if (recipe.steps.some((step) => passwordTypedBy(step) !== null)) return task;
  // Hashed, since PostgreSQL's index takes no long text.
  const dedupKey = `image-customize ${createHash("sha256").update(JSON.stringify(params)).digest("hex")}`;
  return { ...task, dedupKey, standsAlone: true };
}

async function savedRecipe(tx: Queryable, id: number): Promise<Recipe> {
  const [row] = await tx.select().from(recipes).where(eq(recipes.id, id));
  if (row) return row.recipe;
  const message = `There is no recipe ${id}.`;
  throw new CumulusError("bad_request", message, { fields: { recipe: message } });
}
