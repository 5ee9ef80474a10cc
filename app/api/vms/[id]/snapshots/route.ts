import { listVmSnapshotsEndpoint, takeSnapshotEndpoint } from "../../../../../lib/api/endpoints/snapshots";
import { serve } from "../../../../../lib/api/serve";

export const { GET, POST } = serve(listVmSnapshotsEndpoint, takeSnapshotEndpoint);
