import { proposeNetworkEndpoint } from "../../../lib/api/endpoints/networks";
import { serve } from "../../../lib/api/serve";

export const { GET } = serve(proposeNetworkEndpoint);
