import { listExampleRecipesEndpoint } from "../../../../lib/api/endpoints/recipes";
import { serve } from "../../../../lib/api/serve";

export const { GET } = serve(listExampleRecipesEndpoint);
