import { authenticate } from "../auth/authenticate";
import type { Services } from "../services";

/** A comment this often keeps proxies from closing the stream, and finds readers that are gone. */
const keepAliveMs = 15_000;

/** A reader that has taken nothing of this many events is let go; it connects again and reads everything anew. */
const maxUnreadEvents = 1_000;

/**
 * Changes as server-sent events (HTML standard, section 9.2) for as long as the reader stays and its right lasts. The first event says that the stream is open: what changed
 * before is to be read anew, and so it is after the database was away.
 */
export function eventStream(services: Services, request: Request): Response {
  const encoder = new TextEncoder();
  let stop: () => void = () => undefined;
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string) => {
          if ((controller.desiredSize ?? 0) <= 0) return end();
          controller.enqueue(encoder.encode(text));
        };
        const end = () => {
          stop();
          try {
            controller.close();
          } catch {
            // The reader has gone already.
          }
        };
        const unsubscribe = services.changes.subscribe(
          (change) => send(`event: change\ndata: ${JSON.stringify(change)}\n\n`),
          () => send("event: open\ndata: {}\n\n"),
        );
        const timer = setInterval(() => {
          send(": alive\n\n");
          isStillAllowed(services, request).then(
            (isAllowed) => isAllowed || end(),
            (err) => services.context.log.warn({ err }, "could not check an event stream's right"),
          );
        }, keepAliveMs);
        stop = () => {
          clearInterval(timer);
          unsubscribe();
        };
        request.signal.addEventListener("abort", end);
        send("retry: 1000\nevent: open\ndata: {}\n\n");
      },
      cancel: () => stop(),
    },
    { highWaterMark: maxUnreadEvents },
  );
  return new Response(stream, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
  });
}

async function isStillAllowed(services: Services, request: Request): Promise<boolean> {
  return (await authenticate({ ...services, db: services.context.db }, request.headers)) !== null;
}
