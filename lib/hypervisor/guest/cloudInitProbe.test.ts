import { afterEach, expect, test } from "vitest";
import { ScriptedServer } from "../testing/scriptedServer";
import { until } from "../testing/until";
import { CloudInitProbe } from "./cloudInitProbe";
import type { CloudInitStatus } from "./cloudInitStatus";
import { GuestAgent } from "./guestAgent";

let server: ScriptedServer;
let agent: GuestAgent;
let probe: CloudInitProbe;
afterEach(async () => {
  probe.stop();
  agent.close();
  await server.close();
});

interface Command {
  execute?: string;
  arguments?: { id?: number; path?: string };
}

const text = JSON.stringify({ v1: { "modules-final": { start: 1893456019.7, finished: 1893456025, errors: [] } } });

/** A guest whose agent answers commands on files as told. */
async function guest(answer: (command: Command) => object): Promise<string[]> {
  const asked: string[] = [];
  server = await ScriptedServer.start(
    () => {},
    (command: Command, say) => {
      if (command.execute === "guest-sync-delimited") return say({ return: command.arguments?.id });
      asked.push(command.execute ?? "");
      say(answer(command));
    },
  );
  agent = new GuestAgent(server.path, () => {});
  await until(() => agent.isAlive);
  return asked;
}

test("the status is read piece by piece, and no more once cloud-init is done", async () => {
  const parts = [text.slice(0, 40), text.slice(40)];
  const asked = await guest(({ execute, arguments: args }) => {
    if (execute === "guest-file-open") return args?.path === "/run/cloud-init/status.json" ? { return: 7 } : {};
    if (execute === "guest-file-close") return { return: {} };
    const part = parts.shift() ?? "";
    return { return: { "buf-b64": Buffer.from(part).toString("base64"), count: part.length, eof: parts.length === 0 } };
  });
  const seen: CloudInitStatus[] = [];
  probe = new CloudInitProbe({ guestAgent: agent, isFinished: () => false, onStatus: (status) => seen.push(status) });
  await until(() => seen.length === 1);
  expect(seen[0]).toMatchObject({ isFinished: true, stages: [{ stage: "final" }] });
  await until(() => asked.includes("guest-file-close"));
  expect(asked).toEqual(["guest-file-open", "guest-file-read", "guest-file-read", "guest-file-close"]);
});

test("a guest that may not, or answers nonsense, is no reason to fail", async () => {
  const answers: object[] = [{ return: "handle" }, { error: { desc: "Command guest-file-open has been disabled" } }];
  const asked = await guest(() => answers.shift() ?? { return: {} });
  const unexpected = () => {
    throw new Error("There is no status.");
  };
  probe = new CloudInitProbe({ guestAgent: agent, isFinished: () => true, onStatus: unexpected });
  await until(() => asked.length === 1);
  probe = new CloudInitProbe({ guestAgent: agent, isFinished: () => false, onStatus: unexpected });
  await until(() => asked.length === 2);
  await agent.ask("guest-ping", {});
  expect(asked).toEqual(["guest-file-open", "guest-file-open", "guest-ping"]);
});
