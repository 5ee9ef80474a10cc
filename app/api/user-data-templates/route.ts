import { addTemplateEndpoint, listTemplatesEndpoint } from "../../../lib/api/endpoints/userDataTemplates";
import { serve } from "../../../lib/api/serve";

export const { GET, POST } = serve(addTemplateEndpoint, listTemplatesEndpoint);
