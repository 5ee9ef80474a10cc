import { listFirewallPresetsEndpoint } from "../../../lib/api/endpoints/firewalls";
import { serve } from "../../../lib/api/serve";

export const { GET } = serve(listFirewallPresetsEndpoint);
