import { signInLinkEndpoint } from "../../../lib/api/endpoints/access";
import { serve } from "../../../lib/api/serve";

export const { POST } = serve(signInLinkEndpoint);
