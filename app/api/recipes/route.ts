import { addRecipeEndpoint, listRecipesEndpoint } from "../../../lib/api/endpoints/recipes";
import { serve } from "../../../lib/api/serve";

export const { GET, POST } = serve(addRecipeEndpoint, listRecipesEndpoint);
