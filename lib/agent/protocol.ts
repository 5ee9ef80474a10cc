import { z } from "zod";
import { MIB } from "../domain/units";

/**
 * The agent's HTTP interface, on a unix socket: the hypervisor seam (lib/hypervisor/hypervisor.ts) over the wire, one path a method. JSON; an error is
 * `{ code, message, fields?, allowed?, retryAfterSeconds? }` with a status ≥ 400.
 *
 *     GET    /host                      HostReport
 *     GET    /images                    ImageManifest[]            DELETE /images/{sha256} → 204
 *     GET    /machines                  Observation[]
 *     GET    /machines/{id}             Observation                DELETE /machines/{id} → 204
 *     PUT    /machines/{id}             MachineSpec → Observation
 *     POST   /machines/{id}/start|stop|shutdown|pause|resume       → Observation
 *     POST   /machines/{id}/reboot      { operationId, deadlineMs } → Observation
 *     POST   /machines/{id}/reset       { operationId } → Observation
 *     POST   /machines/{id}/type        { text } → 204; closing the request stops the typing
 *     GET    /machines/{id}/screenshot  image/png; `?last=1`: the one kept from before it stopped, 204 when there is none
 *     GET    /watch                     newline-delimited Observation, for as long as the request is open; first all present ones, then
 *                                       every change (of several that wait for a slow reader, the newest a VM); an empty line
 *                                       every 5 s says that the agent lives
 *     WS     /machines/{id}/vnc         binary RFB
 *     WS     /machines/{id}/serial      binary terminal bytes: the log first, then live. An error comes before the 101.
 */
export const agentProtocolVersion = 1;

/** The most that a request's body, or one WebSocket message, may hold. */
export const maxBodyBytes = 4 * MIB;

/** How often `/watch` says that the agent lives. */
export const watchHeartbeatMs = 5_000;

export const operationIdSchema = z.number().int().positive();
export const rebootBodySchema = z.strictObject({
  operationId: operationIdSchema,
  deadlineMs: z.number().int().nonnegative(),
});
export const resetBodySchema = z.strictObject({ operationId: operationIdSchema });
export const typeBodySchema = z.strictObject({ text: z.string() });
