import { authenticate } from "../auth/authenticate";
import type { Services } from "../services";

/** A comment this often keeps proxies from closing the stream, and finds readers that are gone. */
const keepAliveMs = 15_000;

/** A reader that has taken nothing of this many events is let go; it connects again and reads everything anew. */
const maxUnreadEvents = 1_000;

export type SendEvent = (name: string, data: unknown) => void;

/**
 * An answer of server-sent events (HTML standard, section 9.2) for as long as the reader stays and its right lasts. The first event is `open`.
 * @param subscribe begins to send; answers what ends that
 */
export function serverSentEvents(
  services: Services,
  request: Request,
  subscribe: (send: SendEvent) => () => void,
): Response {
  const encoder = new TextEncoder();
  let stop: () => void = () => undefined;
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const write = (text: string) => {
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
        const unsubscribe = subscribe((name, data) => write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`));
        const timer = setInterval(() => {
          write(": alive\n\n");
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
        write("retry: 1000\nevent: open\ndata: {}\n\n");
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
