import { removeForwardEndpoint } from "../../../../../../lib/api/endpoints/vmNetworking";
import { serve } from "../../../../../../lib/api/serve";

export const { DELETE } = serve(removeForwardEndpoint);
