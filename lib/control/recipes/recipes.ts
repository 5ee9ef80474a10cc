import { asc, eq } from "drizzle-orm";
import { violatedUnique } from "../../db/errors";
import { recipes } from "../../db/schema/images";
import { CumulusError } from "../../domain/errors";
import { type Recipe, recipeSchema, withHashedPasswords } from "../../domain/recipe";
import type { SavedRecipe, UpdateRecipe } from "../../domain/savedRecipe";
import { announce } from "../changes";
import type { Context } from "../context";
import { hashPassword } from "../passwordHash";

type Row = typeof recipes.$inferSelect;

export async function listRecipes({ db }: Context): Promise<SavedRecipe[]> {
  return (await db.select().from(recipes).orderBy(asc(recipes.name))).map(toSavedRecipe);
}

/** @throws `not_found` */
export async function getRecipe({ db }: Context, id: number): Promise<SavedRecipe> {
  const [row] = await db.select().from(recipes).where(eq(recipes.id, id));
  if (!row) throw notFound(id);
  return toSavedRecipe(row);
}

/** @throws `conflict` when the name is taken */
export async function addRecipe(context: Context, input: Recipe): Promise<SavedRecipe> {
  const recipe = withHashedPasswords(input, hashPassword);
  return write(recipe.name, () =>
    context.db.transaction(async (tx) => {
      const [row] = await tx.insert(recipes).values({ name: recipe.name, recipe }).returning();
      if (!row) throw new CumulusError("internal", "The recipe could not be written.");
      await announce(tx, { kind: "recipe", id: row.id });
      return toSavedRecipe(row);
    }),
  );
}

/** Images that it made keep the recipe as it was. @throws `not_found`; `bad_request` when the whole is no recipe; `conflict` */
export async function updateRecipe(context: Context, id: number, changes: UpdateRecipe): Promise<SavedRecipe> {
  return write(changes.name, () =>
    context.db.transaction(async (tx) => {
      const [before] = await tx.select().from(recipes).where(eq(recipes.id, id)).for("update");
      if (!before) throw notFound(id);
      const { base, ...rest } = { ...before.recipe, ...changes };
      const recipe = withHashedPasswords(asRecipe({ ...rest, ...(base != null && { base }) }), hashPassword);
      const [row] = await tx
        .update(recipes)
        .set({ name: recipe.name, recipe, updatedAt: new Date() })
        .where(eq(recipes.id, id))
        .returning();
      if (!row) throw notFound(id);
      await announce(tx, { kind: "recipe", id });
      return toSavedRecipe(row);
    }),
  );
}

/** Images that it made keep it. @throws `not_found` */
export async function deleteRecipe(context: Context, id: number): Promise<void> {
  await context.db.transaction(async (tx) => {
    const [row] = await tx.delete(recipes).where(eq(recipes.id, id)).returning();
    if (!row) throw notFound(id);
    await announce(tx, { kind: "recipe", id });
  });
}

/** Parts that are right each by itself may not be together: a step that its place can't do. */
function asRecipe(value: unknown): Recipe {
  const parsed = recipeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = Object.fromEntries(parsed.error.issues.map(({ path, message }) => [path.join("."), message]));
  throw new CumulusError("bad_request", parsed.error.issues[0]?.message ?? "This is no recipe.", { fields });
}

async function write<T>(name: string | undefined, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (violatedUnique(error) === undefined) throw error;
    throw new CumulusError("conflict", `A recipe named ${name} exists already.`, {
      fields: { name: "This name is taken." },
    });
  }
}

function toSavedRecipe({ id, recipe, createdAt, updatedAt }: Row): SavedRecipe {
  return { id, recipe, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}

function notFound(id: number): CumulusError {
  return new CumulusError("not_found", `There is no recipe ${id}.`);
}
