import { listSnapshotFilesEndpoint } from "../../../../../lib/api/endpoints/snapshotFiles";
import { serve } from "../../../../../lib/api/serve";

export const { GET } = serve(listSnapshotFilesEndpoint);
