import { copyBackupAgainEndpoint } from "../../../../../../../lib/api/endpoints/backups";
import { serve } from "../../../../../../../lib/api/serve";

export const { POST } = serve(copyBackupAgainEndpoint);
