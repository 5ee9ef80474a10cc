import { startEndpoint } from "../../../../../lib/api/endpoints/vmActs";
import { serve } from "../../../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(startEndpoint);
