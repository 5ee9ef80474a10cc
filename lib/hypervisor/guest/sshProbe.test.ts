import { spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection, createServer, type Server } from "node:net";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { until } from "../testing/until";
import { SshProbe } from "./sshProbe";

let server: Server;
afterEach(() => new Promise((resolve) => server.close(resolve)));

async function listen(onConnect: (attempt: number, say: (text: string) => void, hangUp: () => void) => void) {
  const counts = { all: 0, open: 0, mostOpen: 0 };
  server = createServer((socket) => {
    counts.all += 1;
    counts.open += 1;
    counts.mostOpen = Math.max(counts.mostOpen, counts.open);
    socket.on("close", () => {
      counts.open -= 1;
    });
    socket.on("error", () => socket.destroy());
    onConnect(
      counts.all,
      (text) => socket.write(text),
      () => socket.destroy(),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return { counts, port: typeof address === "object" && address ? address.port : 0 };
}

/** A listener whose queue is full: what more there is of connections gets no answer, as from a firewall that drops. */
async function listenAndSwallow(): Promise<{ port: number }> {
  const script =
    "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(0); print(s.getsockname()[1], flush=True); input()";
  const python = spawn("python3", ["-c", script]);
  onTestFinished(() => void python.kill());
  server = createServer().listen(0, "127.0.0.1");
  const [line] = await once(python.stdout, "data");
  const port = Number(line);
  for (let count = 0; count < 2; count += 1) {
    const socket = createConnection({ host: "127.0.0.1", port }).on("error", () => {});
    onTestFinished(() => void socket.destroy());
  }
  return { port };
}

test("a connection that is accepted is nothing; the banner is, and it is asked one at a time", async () => {
  const { counts, port } = await listen((attempt, say, hangUp) => {
    if (attempt === 2) hangUp();
    if (attempt === 3) say("220 not ssh\r\n");
    if (attempt >= 4) {
      say("welcome\r\nSS");
      say("H-2.0-dropbear\r\n");
    }
  });
  let banners = 0;
  const probe = new SshProbe(
    { host: "127.0.0.1", port },
    () => 1_000,
    () => {
      banners += 1;
    },
  );
  await until(() => banners === 1);
  expect(counts.all).toBeGreaterThanOrEqual(4);
  expect(counts.mostOpen).toBe(1);
  probe.stop();
});

test.each([
  ["closed", () => listen((_, __, hangUp) => hangUp())],
  ["swallowed by a firewall", listenAndSwallow],
])(
  "where the way to it is %s, another one is asked, however patient one is with it",
  async (_, closed) => {
    const { port } = await closed();
    let asked = 0;
    const askElsewhere = async () => {
      asked += 1;
      return asked === 2;
    };
    const target = { host: "127.0.0.1", port };
    await new Promise<void>((resolve) => new SshProbe(target, () => 60_000, resolve, askElsewhere));
    expect(asked).toBe(2);
  },
  20_000,
);

test("a probe that is stopped says nothing more", async () => {
  const { port } = await listen((_, say) => say("SSH-2.0-x\r\n"));
  let banners = 0;
  new SshProbe(
    { host: "127.0.0.1", port },
    () => 50,
    () => {
      banners += 1;
    },
  ).stop();
  const other = await new Promise<string>((resolve) => {
    new SshProbe(
      { host: "127.0.0.1", port },
      () => 50,
      () => resolve("seen"),
    );
  });
  expect(other).toBe("seen");
  expect(banners).toBe(0);
});
