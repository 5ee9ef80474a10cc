import { afterEach, expect, test } from "vitest";
import { ScriptedServer } from "../testing/scriptedServer";
import { until } from "../testing/until";
import { GuestAgent } from "./guestAgent";

let server: ScriptedServer;
let agent: GuestAgent;
afterEach(async () => {
  agent.close();
  await server.close();
});

interface Command {
  execute?: string;
  arguments?: { id?: number };
}

test("an agent lives when the number that was sent comes back, not when the socket accepts", async () => {
  let answering = 0;
  const asked: Command[] = [];
  server = await ScriptedServer.start(
    () => {},
    (command) => {
      asked.push(command);
    },
  );
  agent = new GuestAgent(server.path, () => {
    answering += 1;
  });
  await until(() => asked[0]?.execute === "guest-sync-delimited");
  server.connections[0]?.write('{"return": 1}\n');
  server.connections[0]?.write(
    Buffer.concat([Buffer.from([0xff]), Buffer.from(`{"return": ${asked[0]?.arguments?.id}}\n`)]),
  );
  await until(() => answering === 1);
  expect(agent.isAlive).toBe(true);
  agent.forget();
  expect(agent.isAlive).toBe(false);
});

test("a reboot is on its way when the agent is silent, and isn't when it gives an error", async () => {
  let reply: object | null = { error: { class: "GenericError", desc: "child process has failed to shutdown" } };
  server = await ScriptedServer.start(
    () => {},
    (command: Command, say) => {
      if (command.execute === "guest-sync-delimited") say({ return: command.arguments?.id });
      else if (reply) say(reply);
    },
  );
  agent = new GuestAgent(server.path, () => {});
  expect(await agent.reboot(100)).toBe(false);
  await until(() => agent.isAlive);
  expect(await agent.reboot(1000)).toBe(false);
  reply = null;
  expect(await agent.reboot(50)).toBe(true);
});
