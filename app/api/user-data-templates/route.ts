import { addTemplateEndpoint, listTemplatesEndpoint } from "../../../lib/api/endpoints/userDataTemplates";
import { serve } from "../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(addTemplateEndpoint, listTemplatesEndpoint);
