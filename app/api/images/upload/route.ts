import { uploadImageEndpoint } from "../../../../lib/api/endpoints/images";
import { serve } from "../../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(uploadImageEndpoint);
