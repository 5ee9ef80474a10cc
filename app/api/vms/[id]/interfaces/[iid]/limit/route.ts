import { limitInterfaceEndpoint } from "../../../../../../../lib/api/endpoints/vmNetworking";
import { serve } from "../../../../../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(limitInterfaceEndpoint);
