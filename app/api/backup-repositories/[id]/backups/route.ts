import { listStoredBackupsEndpoint } from "../../../../../lib/api/endpoints/backups";
import { serve } from "../../../../../lib/api/serve";

export const { GET } = serve(listStoredBackupsEndpoint);
