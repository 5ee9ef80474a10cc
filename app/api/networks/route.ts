import { createNetworkEndpoint, listNetworksEndpoint } from "../../../lib/api/endpoints/networks";
import { serve } from "../../../lib/api/serve";

export const { GET, POST } = serve(createNetworkEndpoint, listNetworksEndpoint);
