import * as z from "zod";

/** What changed: the payload of the database's notification and of an event on `GET /api/events`. Clients read the thing anew. */
export const changeSchema = z
  .object({
    kind: z.enum([
      "vm",
      "operation",
      "image",
      "recipe",
      "user-data-template",
      "snapshot",
      "backup",
      "backup-repository",
      "network",
      "firewall",
      "ssh-key",
      "token",
      "host",
    ]),
    id: z.number().int(),
    /** For operations and snapshots: the VM that it is about. */
    vmId: z.number().int().optional(),
  })
  .meta({ id: "Change" });
export type Change = z.infer<typeof changeSchema>;

/** The database channel on which changes are announced. */
export const changeChannel = "cumulus_changes";
