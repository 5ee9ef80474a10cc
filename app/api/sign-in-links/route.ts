import { signInLinkEndpoint } from "../../../lib/api/endpoints/access";
import { serve } from "../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(signInLinkEndpoint);
