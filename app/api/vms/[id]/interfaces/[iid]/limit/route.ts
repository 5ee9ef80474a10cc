import { limitInterfaceEndpoint } from "../../../../../../../lib/api/endpoints/vmNetworking";
import { serve } from "../../../../../../../lib/api/serve";

export const { PUT } = serve(limitInterfaceEndpoint);
