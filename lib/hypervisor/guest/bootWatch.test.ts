import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { TimelineStep } from "../../domain/timeline";
import { until } from "../testing/until";
import { BootWatch } from "./bootWatch";

let server: Server;
let watch: BootWatch;
afterEach(async () => {
  watch.close();
  server.close();
  await once(server, "close");
});

test("an SSH server that takes seconds to greet, as on an emulated core, is asked once after the guest has a network", async () => {
  let askedCount = 0;
  server = createServer((socket) => {
    askedCount += 1;
    const timer = setTimeout(() => socket.write("SSH-2.0-slow\r\n"), 4_000);
    socket.on("close", () => clearTimeout(timer)).on("error", () => {});
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const reached = new Set<TimelineStep>(["network"]);
  watch = new BootWatch({
    guestAgentSocket: "/nonexistent/agent.sock",
    ssh: { host: "127.0.0.1", port },
    askSshWithin: null,
    hasReached: (step) => reached.has(step),
    onReached: (step) => reached.add(step),
    onFirstBoot: () => {},
  });
  await until(() => reached.has("ssh"));
  expect(askedCount).toBe(1);
});
