import { listImagesEndpoint } from "../../../lib/api/endpoints/catalogue";
import { serve } from "../../../lib/api/serve";

export const { GET } = serve(listImagesEndpoint);
