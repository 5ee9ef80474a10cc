import { healthEndpoint } from "../../../lib/api/endpoints/activity";
import { serve } from "../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(healthEndpoint);
