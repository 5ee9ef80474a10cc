import { listCatalogueEndpoint } from "../../../lib/api/endpoints/images";
import { serve } from "../../../lib/api/serve";

export const { GET } = serve(listCatalogueEndpoint);
