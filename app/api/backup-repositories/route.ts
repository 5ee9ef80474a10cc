import { createBackupRepositoryEndpoint, listBackupRepositoriesEndpoint } from "../../../lib/api/endpoints/backups";
import { serve } from "../../../lib/api/serve";

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = serve(
  listBackupRepositoriesEndpoint,
  createBackupRepositoryEndpoint,
);
