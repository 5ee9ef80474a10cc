import { addRecipe, deleteRecipe, getRecipe, listRecipes, updateRecipe } from "../../control/recipes/recipes";
import { recipeSchema } from "../../domain/recipe";
import { savedRecipeSchema, updateRecipeSchema } from "../../domain/savedRecipe";
import { endpoint } from "../endpoint";
import { asList, idParams, listOf } from "../shapes";

const tag = "Recipes";

export const listRecipesEndpoint = endpoint({
  method: "GET",
  path: "/api/recipes",
  tag,
  summary: "List recipes",
  response: listOf(savedRecipeSchema),
  handle: async ({ context }) => asList(await listRecipes(context)),
});

export const listExampleRecipesEndpoint = endpoint({
  method: "GET",
  path: "/api/recipes/examples",
  tag,
  summary: "List example recipes",
  description: "They come with Cumulus, to begin one's own from.",
  response: listOf(recipeSchema),
  handle: async ({ context }) => asList(await context.agent.listExampleRecipes()),
});

export const getRecipeEndpoint = endpoint({
  method: "GET",
  path: "/api/recipes/{id}",
  tag,
  summary: "Get a recipe",
  params: idParams,
  response: savedRecipeSchema,
  handle: ({ context, params }) => getRecipe(context, params.id),
});

export const addRecipeEndpoint = endpoint({
  method: "POST",
  path: "/api/recipes",
  tag,
  summary: "Save a recipe",
  description: "Run it by `POST /api/images` with `recipe` and `base`. Passwords are kept as hashes.",
  body: recipeSchema,
  response: savedRecipeSchema,
  status: 201,
  handle: ({ context, body }) => addRecipe(context, body),
});

export const updateRecipeEndpoint = endpoint({
  method: "PATCH",
  path: "/api/recipes/{id}",
  tag,
  summary: "Change a recipe",
  description: "Images that it made keep the recipe as it was.",
  params: idParams,
  body: updateRecipeSchema,
  response: savedRecipeSchema,
  handle: ({ context, params, body }) => updateRecipe(context, params.id, body),
});

export const deleteRecipeEndpoint = endpoint({
  method: "DELETE",
  path: "/api/recipes/{id}",
  tag,
  summary: "Delete a recipe",
  params: idParams,
  handle: ({ context, params }) => deleteRecipe(context, params.id),
});
