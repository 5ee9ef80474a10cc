import { createBackupRepositoryEndpoint, listBackupRepositoriesEndpoint } from "../../../lib/api/endpoints/backups";
import { serve } from "../../../lib/api/serve";

export const { GET, POST } = serve(listBackupRepositoriesEndpoint, createBackupRepositoryEndpoint);
