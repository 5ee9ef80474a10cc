import { createFirewallEndpoint, listFirewallsEndpoint } from "../../../lib/api/endpoints/firewalls";
import { serve } from "../../../lib/api/serve";

export const { GET, POST } = serve(createFirewallEndpoint, listFirewallsEndpoint);
