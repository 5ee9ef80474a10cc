import { deleteRecipeEndpoint, getRecipeEndpoint, updateRecipeEndpoint } from "../../../../lib/api/endpoints/recipes";
import { serve } from "../../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(
  deleteRecipeEndpoint,
  getRecipeEndpoint,
  updateRecipeEndpoint,
);
