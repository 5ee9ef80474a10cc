import { listSnapshotFilesEndpoint } from "../../../../../lib/api/endpoints/snapshotFiles";
import { serve } from "../../../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(listSnapshotFilesEndpoint);
