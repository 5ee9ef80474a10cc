import { listFirewallPresetsEndpoint } from "../../../lib/api/endpoints/firewalls";
import { serve } from "../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(listFirewallPresetsEndpoint);
