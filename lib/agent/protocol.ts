import { z } from "zod";
import { MIB } from "../domain/units";

/**
 * The agent's HTTP interface, on a unix socket: the hypervisor seam (lib/hypervisor/hypervisor.ts) over the wire, one path a method. JSON; an error is
 * `{ code, message, fields?, allowed?, retryAfterSeconds? }` with a status ≥ 400.
 *
 *     GET    /host                      HostReport
 *     GET    /images                    ImageManifest[]            DELETE /images/{sha256}?name= → 204
 *     GET    /images/{sha256}/file      its bytes; takes `Range` of one piece
 *     GET    /catalogue                 Catalogue: what can be downloaded
 *     POST   /image-address             { url } → 204 where nothing speaks against fetching it
 *     GET    /present-recipes           PresentRecipe[]: by which images would be built now
 *     POST   /published-checksum        { catalogueId } → { checksum }: what its maker publishes now
 *     GET    /example-recipes           Recipe[]: those that come with Cumulus
 *     PUT    /networks                  NetworkState → 204         GET    /networks → NetworkStatus
 *     POST   /port-check                { protocol, port } → { whyTaken }: null where a VM can have that port of the loopback
 *     GET    /machines                  Observation[]
 *     GET    /machines/{id}             Observation                DELETE /machines/{id} → 204
 *     PUT    /machines/{id}             MachineSpec → Observation
 *     POST   /machines/{id}/start|stop|shutdown|pause|resume       → Observation
 *     POST   /machines/{id}/reboot      { operationId, deadlineMs } → Observation
 *     POST   /machines/{id}/reset       { operationId } → Observation
 *     POST   /machines/{id}/type        { text } → 204; closing the request stops the typing
 *     POST   /machines/{id}/diagnose    { interfaceId, port } → ReachabilityCheck[]
 *     GET    /machines/{id}/traffic     TrafficReading
 *     GET    /machines/{id}/screenshot  image/png; `?last=1`: the one kept from before it stopped, 204 when there is none
 *     GET    /machines/{id}/snapshot-cost                          SnapshotCost
 *     GET    /snapshots/{id}/files      SnapshotFolder of `?path=FOLDER`
 *     GET    /snapshots/{id}/file       the bytes of `?path=FILE`
 *     GET    /snapshots                 SnapshotManifest[]         DELETE /snapshots/{id} → 204
 *     POST   /backup-repository/make    RepositoryAccess → 204; opens the repository, and makes it where there is none
 *     POST   /backup-repository/list    RepositoryAccess → StoredBackup[]
 *     PUT    /tasks/{id}                { kind, params } → TaskState; idempotent by the id (lib/agent/tasks)
 *     GET    /tasks/{id}                TaskState; `?after=VERSION&waitMs=N`: once it is newer, or when the time is over
 *     GET    /tasks/{id}/log            { text, nextOffset } from `?offset=N` on
 *     GET    /tasks/{id}/file           the file that an export wrote, for a day; takes `Range` of one piece
 *     POST   /tasks/{id}/cancel         → TaskState
 *     PUT    /uploads/{operationId}     a file's bytes, for the task of that operation → 204 when it has taken them
 *     GET    /watch                     newline-delimited Observation, for as long as the request is open; first all present ones, then
 *                                       every change (of several that wait for a slow reader, the newest a VM); an empty line
 *                                       every 5 s says that the agent lives
 *     GET    /machines/{id}/vnc         RFB bytes
 *     GET    /machines/{id}/serial      terminal bytes: the log first, then live
 *
 * The last two with `Connection: Upgrade` and `Upgrade: cumulus-bytes`. After a 101 the connection carries plain bytes both ways. A 307
 * instead names, as `Location: file://…`, a unix socket of the VM that the console may connect to itself while the 307's connection is
 * open: only agents on the console's own host answer so. An error comes before either, as everywhere.
 */

/** What an upgrade is to. */
export const byteProtocol = "cumulus-bytes";

/** The most that a request's body may hold. */
export const maxBodyBytes = 4 * MIB;

/** How often `/watch` says that the agent lives. */
export const watchHeartbeatMs = 5_000;

export const operationIdSchema = z.number().int().positive();
export const rebootBodySchema = z.strictObject({
  operationId: operationIdSchema,
  deadlineMs: z.number().int().nonnegative(),
});
export const resetBodySchema = z.strictObject({ operationId: operationIdSchema });
export const diagnoseBodySchema = z.strictObject({
  interfaceId: z.string(),
  port: z.number().int().min(1).max(65_535),
});
export const imageAddressBodySchema = z.strictObject({ url: z.string() });
export const publishedChecksumBodySchema = z.strictObject({ catalogueId: z.string() });
export const publishedChecksumSchema = z.object({ checksum: z.string() });
export const portCheckBodySchema = z.strictObject({
  protocol: z.enum(["tcp", "udp"]),
  port: z.number().int().min(1).max(65_535),
});
export const portCheckSchema = z.object({ whyTaken: z.string().nullable() });
export const typeBodySchema = z.strictObject({ text: z.string() });
export const taskBodySchema = z.strictObject({ kind: z.string(), params: z.unknown() });
