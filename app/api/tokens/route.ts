import { createTokenEndpoint, listTokensEndpoint } from "../../../lib/api/endpoints/access";
import { serve } from "../../../lib/api/serve";

export const { GET, POST } = serve(createTokenEndpoint, listTokensEndpoint);
