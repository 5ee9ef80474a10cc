import { addSshKeyEndpoint, listSshKeysEndpoint } from "../../../lib/api/endpoints/access";
import { serve } from "../../../lib/api/serve";

export const { GET, POST } = serve(addSshKeyEndpoint, listSshKeysEndpoint);
