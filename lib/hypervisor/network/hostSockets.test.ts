import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
import { hostAddresses, listeningSockets, parseSockets } from "./hostSockets";

test("a program that listens is found by its address and port", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  expect(await listeningSockets()).toContainEqual({ address: "127.0.0.1", port, protocol: "tcp" });
  server.close();
  await once(server, "close");
  expect((await listeningSockets()).some((one) => one.port === port && one.protocol === "tcp")).toBe(false);
});

test("sockets are read as the kernel writes them, also IPv4 ones behind IPv6; those with a peer are left out", () => {
  const text = `  sl  local_address                         rem_address                          st tx_queue
   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 0
   1: 0000000000000000FFFF00000200A8C0:0050 00000000000000000000000000000000:0000 0A 0
   2: 0000000000000000FFFF00000200A8C0:0051 0000000000000000FFFF00000300A8C0:1234 01 0
   3: 00000000000000000000000001000000:0052 00000000000000000000000000000000:0000 0A 0
`;
  expect(parseSockets(text, "tcp", "0A")).toEqual([
    { address: "0.0.0.0", port: 22, protocol: "tcp" },
    { address: "192.168.0.2", port: 80, protocol: "tcp" },
  ]);
});

test("the loopback is one of the host's addresses", () => {
  expect(hostAddresses()).toContain("127.0.0.1");
});
