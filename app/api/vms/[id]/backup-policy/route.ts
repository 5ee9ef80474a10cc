import {
  deleteBackupPolicyEndpoint,
  getBackupPolicyEndpoint,
  putBackupPolicyEndpoint,
} from "../../../../../lib/api/endpoints/backups";
import { serve } from "../../../../../lib/api/serve";

export const { GET, PUT, DELETE } = serve(getBackupPolicyEndpoint, putBackupPolicyEndpoint, deleteBackupPolicyEndpoint);
