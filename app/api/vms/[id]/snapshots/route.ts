import { listVmSnapshotsEndpoint, takeSnapshotEndpoint } from "../../../../../lib/api/endpoints/snapshots";
import { serve } from "../../../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(listVmSnapshotsEndpoint, takeSnapshotEndpoint);
