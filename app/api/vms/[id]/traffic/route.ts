import { watchTrafficEndpoint } from "../../../../../lib/api/endpoints/vmNetworking";
import { serve } from "../../../../../lib/api/serve";

export const { GET } = serve(watchTrafficEndpoint);
