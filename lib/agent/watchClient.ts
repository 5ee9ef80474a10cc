import { type IncomingMessage, request } from "node:http";
import { createInterface } from "node:readline";
import type { CumulusError } from "../domain/errors";
import { type Observation, observationSchema } from "../domain/machine";
import { parseJson } from "../system/json";
import { noAnswer } from "./request";

export type WatchState = "connected" | "disconnected";

export interface WatchOptions {
  /** A watch without a line, not even an empty one, for this long is dead. */
  silenceMs: number;
  /** Waits between attempts grow from the first to the last. */
  retryMs: { first: number; last: number };
}

/**
 * Watches all VMs of the agent until the returned function is called; connects again whenever the connection ends. After each
 * `connected` all present VMs come first: one that was removed meanwhile does not.
 * @param onObservation must not throw
 * @param onState `disconnected` with the reason, once per loss and not for further failed attempts
 */
export function watchAgent(
  socketPath: string,
  onObservation: (observation: Observation) => void,
  onState: (state: WatchState, reason?: CumulusError) => void,
  { silenceMs, retryMs }: WatchOptions,
): () => void {
  const stop = new AbortController();
  let isConnected: boolean | undefined;
  let waitMs = retryMs.first;
  let timer: NodeJS.Timeout | undefined;

  const attempt = () =>
    readWatch(socketPath, silenceMs, stop.signal, {
      onConnected() {
        waitMs = retryMs.first;
        isConnected = true;
        onState("connected");
      },
      onObservation,
      onEnd(reason) {
        if (stop.signal.aborted) return;
        timer = setTimeout(attempt, waitMs);
        waitMs = Math.min(waitMs * 2, retryMs.last);
        if (isConnected !== false) onState("disconnected", reason);
        isConnected = false;
      },
    });
  attempt();
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}

interface WatchListener {
  onConnected(): void;
  onObservation(observation: Observation): void;
  /** Called once, last. */
  onEnd(reason: CumulusError): void;
}

/** One connection to `/watch`. */
function readWatch(socketPath: string, silenceMs: number, signal: AbortSignal, listener: WatchListener): void {
  const sent = request({ socketPath, agent: false, path: "/watch", signal });
  const silence = setTimeout(() => sent.destroy(new Error(`it has said nothing for ${silenceMs / 1000} s`)), silenceMs);
  let failure: Error | undefined;
  const onError = (error: Error) => {
    failure ??= error;
  };
  sent.on("error", onError);
  sent.on("response", (response: IncomingMessage) => {
    if (response.statusCode !== 200) {
      sent.destroy(new Error(`it refused to be watched (status ${response.statusCode})`));
      return;
    }
    listener.onConnected();
    const lines = createInterface({ input: response });
    response.on("error", onError);
    lines.on("error", onError);
    lines.on("line", (line) => {
      silence.refresh();
      if (line === "" || signal.aborted) return;
      const parsed = observationSchema.safeParse(parseJson(line));
      if (parsed.success) listener.onObservation(parsed.data);
      else sent.destroy(new Error("it speaks of VMs in a way that this console doesn't know (another version?)"));
    });
  });
  sent.on("close", () => {
    clearTimeout(silence);
    listener.onEnd(noAnswer(failure ?? new Error("it closed the connection")));
  });
  sent.end();
}
