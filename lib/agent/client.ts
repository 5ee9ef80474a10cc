import { z } from "zod";
import { CumulusError } from "../domain/errors";
import { hostReportSchema } from "../domain/host";
import { imageManifestSchema } from "../domain/image";
import { type Observation, observationSchema } from "../domain/machine";
import type { Hypervisor } from "../hypervisor/hypervisor";
import { openStream } from "./openStream";
import { type AgentCall, callAgent } from "./request";
import { type WatchOptions, type WatchState, watchAgent } from "./watchClient";
import { parseJson } from "./wireError";

/**
 * The hypervisor of a host, asked through its agent: the same methods with the same answers and errors. In addition any call may reject with
 * `unavailable` when the agent doesn't answer in time; whether it did the work is then unknown, and asking again is safe. `typeText` rejects with
 * the signal's reason when it is aborted.
 */
export interface AgentClient extends Omit<Hypervisor, "watch" | "recover" | "close"> {
  /** Observations, and whether the agent is there, until the returned function is called: see `watchAgent`. */
  watch(
    onObservation: (observation: Observation) => void,
    onState: (state: WatchState, reason?: CumulusError) => void,
  ): () => void;
}

export interface AgentClientOptions extends Partial<WatchOptions> {
  socketPath: string;
  /** Deadline of calls that answer at once. */
  timeoutMs?: number;
  /** Deadline of calls that make a disk, start or end a process. */
  slowTimeoutMs?: number;
}

/** What typing may take for each character on top of the deadline. */
const typingMsPerCharacter = 250;

export function createAgentClient(options: AgentClientOptions): AgentClient {
  const { socketPath, timeoutMs = 15_000, slowTimeoutMs = 60_000 } = options;
  const { silenceMs = 12_000, retryMs = { first: 100, last: 2_000 } } = options;

  const call = (method: AgentCall["method"], path: string, rest: Partial<AgentCall> = {}) =>
    callAgent(socketPath, { method, path, timeoutMs, ...rest });
  const ask = async <T>(schema: z.ZodType<T>, ...[method, path, rest]: Parameters<typeof call>): Promise<T> => {
    const { body } = await call(method, path, rest);
    const parsed = schema.safeParse(parseJson(body.toString("utf8")));
    if (parsed.success) return parsed.data;
    throw new CumulusError(
      "internal",
      `The agent answered ${method} ${path} in a way that this console doesn't know: do both run the same version? Restart them.`,
      { cause: parsed.error },
    );
  };
  const act = (id: number, name: string, rest?: Partial<AgentCall>) =>
    ask(observationSchema, "POST", `/machines/${id}/${name}`, rest);
  const slow = { timeoutMs: slowTimeoutMs };

  return {
    host: () => ask(hostReportSchema, "GET", "/host"),
    listImages: () => ask(z.array(imageManifestSchema), "GET", "/images"),
    removeImage: async (sha256) => void (await call("DELETE", `/images/${sha256}`)),

    ensure: (spec) => ask(observationSchema, "PUT", `/machines/${spec.id}`, { body: spec, ...slow }),
    start: (id) => act(id, "start", slow),
    stop: (id) => act(id, "stop", slow),
    shutdown: (id) => act(id, "shutdown"),
    reboot: (id, operationId, deadlineMs) => act(id, "reboot", { body: { operationId, deadlineMs } }),
    reset: (id, operationId) => act(id, "reset", { body: { operationId } }),
    pause: (id) => act(id, "pause"),
    resume: (id) => act(id, "resume"),
    remove: async (id) => void (await call("DELETE", `/machines/${id}`, slow)),

    observe: (id) => ask(observationSchema, "GET", `/machines/${id}`),
    observeAll: () => ask(z.array(observationSchema), "GET", "/machines"),
    watch: (onObservation, onState) => watchAgent(socketPath, onObservation, onState, { silenceMs, retryMs }),

    screenshot: async (id) => (await call("GET", `/machines/${id}/screenshot`)).body,
    lastScreenshot: async (id) => {
      const { status, body } = await call("GET", `/machines/${id}/screenshot?last=1`);
      return status === 204 ? null : body;
    },
    typeText: async (id, text, signal) => {
      const deadlineMs = timeoutMs + text.length * typingMsPerCharacter;
      await call("POST", `/machines/${id}/type`, { body: { text }, timeoutMs: deadlineMs, signal });
    },
    openVnc: (id) => openStream(socketPath, `/machines/${id}/vnc`, timeoutMs),
    openSerial: (id) => openStream(socketPath, `/machines/${id}/serial`, timeoutMs),
  };
}
