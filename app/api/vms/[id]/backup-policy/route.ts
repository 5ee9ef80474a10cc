import {
  deleteBackupPolicyEndpoint,
  getBackupPolicyEndpoint,
  putBackupPolicyEndpoint,
} from "../../../../../lib/api/endpoints/backups";
import { serve } from "../../../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(
  getBackupPolicyEndpoint,
  putBackupPolicyEndpoint,
  deleteBackupPolicyEndpoint,
);
