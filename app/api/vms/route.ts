import { createVmEndpoint, listVmsEndpoint } from "../../../lib/api/endpoints/vms";
import { serve } from "../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(createVmEndpoint, listVmsEndpoint);
