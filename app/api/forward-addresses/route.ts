import { listForwardAddressesEndpoint } from "../../../lib/api/endpoints/networks";
import { serve } from "../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(listForwardAddressesEndpoint);
