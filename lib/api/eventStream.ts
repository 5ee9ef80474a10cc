import type { Services } from "../services";
import { serverSentEvents } from "./serverSentEvents";

/** Changes, as they are announced. `open` says that what changed before is to be read anew: at first, and after the database was away. */
export function eventStream(services: Services, request: Request): Response {
  return serverSentEvents(services, request, (send) =>
    services.changes.subscribe(
      (change) => send("change", change),
      () => send("open", {}),
    ),
  );
}
