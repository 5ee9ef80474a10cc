import { listExampleRecipesEndpoint } from "../../../../lib/api/endpoints/recipes";
import { serve } from "../../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(listExampleRecipesEndpoint);
