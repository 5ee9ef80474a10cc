import { createVmEndpoint, listVmsEndpoint } from "../../../lib/api/endpoints/vms";
import { serve } from "../../../lib/api/serve";

export const { GET, POST } = serve(createVmEndpoint, listVmsEndpoint);
