import type { ServerResponse } from "node:http";
import type { Observation } from "../domain/machine";
import type { Hypervisor } from "../hypervisor/hypervisor";
import { watchHeartbeatMs } from "./protocol";

/**
 * Answers `GET /watch`. What waits for a reader that doesn't read is one observation a VM, the newest: memory is bounded by the
 * number of VMs.
 */
export async function streamObservations(hypervisor: Hypervisor, response: ServerResponse): Promise<void> {
  const waiting = new Map<number, Observation>();
  let isCaughtUp = false;

  const canWrite = () => !response.writableNeedDrain && !response.writableEnded && !response.destroyed;
  const flush = () => {
    if (!isCaughtUp) return;
    for (const [id, observation] of waiting) {
      if (!canWrite()) return;
      waiting.delete(id);
      response.write(`${JSON.stringify(observation)}\n`);
    }
  };
  const heartbeat = setInterval(() => {
    if (canWrite()) response.write("\n");
  }, watchHeartbeatMs);
  const unwatch = hypervisor.watch((observation) => {
    waiting.set(observation.id, observation);
    flush();
  });
  response.on("drain", flush);
  response.on("close", () => {
    clearInterval(heartbeat);
    unwatch();
  });

  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.flushHeaders();
  for (const present of await hypervisor.observeAll()) {
    // A change that came while all were being observed may be newer than what was then seen.
    const changed = waiting.get(present.id);
    if (!changed || Date.parse(changed.observedAt) < Date.parse(present.observedAt)) waiting.set(present.id, present);
  }
  isCaughtUp = true;
  flush();
}
