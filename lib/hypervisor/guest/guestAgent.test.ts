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

/** An agent that lives and answers commands as told; undefined: it says nothing. */
async function livingAgent(answer: (command: Command) => object | undefined): Promise<void> {
  server = await ScriptedServer.start(
    () => {},
    (command: Command, say) => {
      const reply = command.execute === "guest-sync-delimited" ? { return: command.arguments?.id } : answer(command);
      if (reply) say(reply);
    },
  );
  agent = new GuestAgent(server.path, () => {});
  await until(() => agent.isAlive);
}

test("commands are asked one after the other, and each has its own answer", async () => {
  let open = 0;
  await livingAgent((command) => {
    open += 1;
    expect(open).toBe(1);
    open -= 1;
    return command.execute === "guest-bad"
      ? { error: { desc: "The command guest-bad has not been found" } }
      : { return: command.execute };
  });
  const answers = ["guest-ping", "guest-bad", "guest-info"].map((name) =>
    agent.ask(name, {}).catch((error: unknown) => error),
  );
  const [ping, bad, info] = await Promise.all(answers);
  expect([ping, info]).toEqual(["guest-ping", "guest-info"]);
  expect(bad).toMatchObject({
    name: "GuestAgentError",
    kind: "refused",
    message: expect.stringContaining("not been found"),
  });
});

test("an answer that comes too late is not taken for the next command's", async () => {
  let isSlow = true;
  await livingAgent((command) => (isSlow ? undefined : { return: command.execute }));
  await expect(agent.ask("guest-slow", {}, 20)).rejects.toMatchObject({ kind: "silent" });
  server.connections[0]?.write('{"return":"guest-slow"}\n');
  isSlow = false;
  await until(() => agent.isAlive);
  expect(await agent.ask("guest-ping", {})).toBe("guest-ping");
});
