import {
  freeAddressEndpoint,
  listAddressesEndpoint,
  reserveAddressEndpoint,
} from "../../../../../lib/api/endpoints/networks";
import { serve } from "../../../../../lib/api/serve";

export const { DELETE, GET, POST } = serve(freeAddressEndpoint, listAddressesEndpoint, reserveAddressEndpoint);
