import { changeCdromEndpoint } from "../../../../../lib/api/endpoints/vms";
import { serve } from "../../../../../lib/api/serve";

export const { PUT } = serve(changeCdromEndpoint);
