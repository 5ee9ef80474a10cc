import { listSizesEndpoint } from "../../../lib/api/endpoints/catalogue";
import { serve } from "../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(listSizesEndpoint);
