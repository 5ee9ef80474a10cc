import { createImageEndpoint, listImagesEndpoint } from "../../../lib/api/endpoints/images";
import { serve } from "../../../lib/api/serve";

export const { GET, POST } = serve(createImageEndpoint, listImagesEndpoint);
