import * as z from "zod";
import { recipeSchema } from "./recipe";

/** `POST /api/recipes`: the recipe itself. Its passwords are kept as hashes. */
export const savedRecipeSchema = z
  .object({
    id: z.number().int(),
    recipe: recipeSchema,
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "SavedRecipe" });
export type SavedRecipe = z.infer<typeof savedRecipeSchema>;

const { name, title, steps } = recipeSchema.shape;

/** `PATCH /api/recipes/{id}`: what is given is changed; the whole must be a recipe then. `base: null` takes the base away. */
export const updateRecipeSchema = z
  .strictObject({
    name: name.optional(),
    title: title.optional(),
    description: recipeSchema.shape.description.unwrap().optional(),
    base: recipeSchema.shape.base.unwrap().nullable().optional(),
    place: recipeSchema.shape.place.unwrap().optional(),
    steps: steps.optional(),
  })
  .meta({ id: "UpdateRecipe" });
export type UpdateRecipe = z.infer<typeof updateRecipeSchema>;
