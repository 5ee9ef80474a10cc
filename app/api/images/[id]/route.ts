import { deleteImageEndpoint, getImageEndpoint } from "../../../../lib/api/endpoints/images";
import { serve } from "../../../../lib/api/serve";

export const { DELETE, GET } = serve(deleteImageEndpoint, getImageEndpoint);
