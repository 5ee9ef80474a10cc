import { type IncomingMessage, request } from "node:http";
import { CumulusError, messageOf } from "../domain/errors";
import { withDeadline } from "../system/deadline";
import { fromWire } from "./wireError";

export interface AgentCall {
  method: "GET" | "PUT" | "POST" | "DELETE";
  path: string;
  body?: unknown;
  timeoutMs: number;
  /** Closes the request; the call then rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface AgentAnswer {
  status: number;
  body: Buffer;
}

/**
 * One request to the agent. Rejects with the error that the agent gave, or `unavailable` when nobody listens, the connection breaks or
 * the deadline passes.
 */
export async function callAgent(socketPath: string, call: AgentCall): Promise<AgentAnswer> {
  call.signal?.throwIfAborted();
  const response = await withDeadline(call.timeoutMs, call.signal, async (deadline) => {
    try {
      return await exchange(socketPath, call, deadline);
    } catch (error) {
      call.signal?.throwIfAborted();
      if (!deadline.aborted) throw noAnswer(error);
      throw noAnswer(new Error(`${call.method} ${call.path} took longer than ${call.timeoutMs / 1000} s`));
    }
  });
  if (response.status >= 400) throw fromWire(response.status, response.body.toString("utf8"));
  return response;
}

/** Each call has a connection of its own: on a unix socket that is cheap, and none can turn out to be closed as it is used again. */
async function exchange(socketPath: string, call: AgentCall, signal: AbortSignal): Promise<AgentAnswer> {
  const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
  const headers = body ? { "content-type": "application/json", "content-length": body.length } : {};
  const options = { socketPath, agent: false, method: call.method, path: call.path, headers, signal } as const;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(options).on("response", resolve).on("error", reject).end(body);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks) };
}

const explanations: Record<string, string> = {
  ENOENT: "its socket is not there",
  ECONNREFUSED: "nothing listens on its socket",
  EACCES: "this process may not use its socket",
};

/** `unavailable`: the agent could not be asked, or didn't answer. */
export function noAnswer(cause: unknown): CumulusError {
  const { code = "" } = cause as NodeJS.ErrnoException;
  const why = explanations[code] ?? messageOf(cause);
  return new CumulusError(
    "unavailable",
    `The agent of this host doesn't answer: ${why}. Start it: \`npm run up\`, or where systemd runs it \`systemctl start cumulus-agent\`.`,
    {
      retryAfterSeconds: 2,
      cause,
    },
  );
}
