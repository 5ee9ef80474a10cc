import { backUpNowEndpoint, listBackupsEndpoint } from "../../../../../lib/api/endpoints/backups";
import { serve } from "../../../../../lib/api/serve";

export const { GET, POST } = serve(listBackupsEndpoint, backUpNowEndpoint);
