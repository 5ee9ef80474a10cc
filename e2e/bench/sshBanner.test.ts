import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { awaitSshBanner } from "./sshBanner";

const sockets = new Set<Socket>();
const server = createServer((socket) => {
  sockets.add(socket);
  socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
  onConnection(socket);
});
let onConnection: (socket: Socket) => void = () => undefined;
const listen = async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
};
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, "close");
});

test("a connection that is accepted and stays silent is no SSH server; the next attempt finds it", async () => {
  let connections = 0;
  onConnection = (socket) => {
    connections += 1;
    if (connections === 3) socket.write("SSH-2.0-test\r\n");
  };
  await awaitSshBanner(await listen());
  expect(connections).toBe(3);
});

test("what isn't a banner doesn't count, and the deadline is told", async () => {
  onConnection = (socket) => socket.write("220 mail\r\n");
  await expect(awaitSshBanner(await listen(), { deadlineMs: 400 })).rejects.toThrow("within 0.4 s");
});
