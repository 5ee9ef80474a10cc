import { createConnection } from "node:net";
import { createInterface } from "node:readline";
import { z } from "zod";
import { messageOf } from "../../domain/errors";
import type { ProcessFact } from "../snapshot";

const uuidSchema = z.object({ return: z.object({ UUID: z.string() }) });
const jobsSchema = z.object({ return: z.array(z.object({})) });
const statusSchema = z.object({ return: z.object({ status: z.string() }) });

const deadlineMs = 1_500;

/** Asks a QEMU who it is and what it does, on the first of its QMP sockets that answers: each takes one client, and the agent is one. */
export async function gatherQmp(sockets: readonly string[]): Promise<ProcessFact["qmp"]> {
  let reason = "its command line names no QMP socket";
  for (const path of sockets) {
    try {
      const [uuid, status, jobs] = await ask(path, ["query-uuid", "query-status", "query-block-jobs"]);
      return {
        answers: true,
        uuid: uuidSchema.parse(uuid).return.UUID,
        status: statusSchema.parse(status).return.status,
        hasBlockJob: jobsSchema.parse(jobs).return.length > 0,
      };
    } catch (error) {
      reason = messageOf(error);
    }
  }
  return { answers: false, reason };
}

/** QMP in short (docs/interop/qmp-spec in QEMU): a greeting, then an answer a line, with events between. */
function ask(path: string, commands: string[]): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    const lines = createInterface({ input: socket });
    const waiting = ["qmp_capabilities", ...commands];
    const answers: unknown[] = [];
    const end = (error?: Error) => {
      clearTimeout(timer);
      socket.destroy();
      if (error) reject(error);
      else resolve(answers.slice(1));
    };
    const timer = setTimeout(() => end(new Error(`no answer within ${deadlineMs / 1000} s`)), deadlineMs);
    socket.on("error", end);
    socket.on("close", () => end(new Error("it closed the connection")));
    lines.on("error", end);
    lines.on("line", (line) => {
      const message: unknown = parse(line);
      if (typeof message !== "object" || message === null) return end(new Error("it speaks no QMP"));
      if ("event" in message) return;
      if (!("QMP" in message)) answers.push(message);
      const command = waiting.shift();
      if (command === undefined) end();
      else socket.write(`${JSON.stringify({ execute: command })}\n`);
    });
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
