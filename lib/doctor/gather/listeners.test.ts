import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { gatherListeners, parseTcpTable, parseUnixTable } from "./listeners";

test("only listening sockets count", () => {
  const tcp = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "   0: 0100007F:4E21 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0",
    "   1: 0100007F:9C40 0100007F:4E21 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 -1",
  ].join("\n");
  expect(parseTcpTable(tcp)).toEqual([{ inode: "4711", name: "127.0.0.1:20001" }]);
  const unix = [
    "Num       RefCount Protocol Flags    Type St Inode Path",
    "0000000000000000: 00000002 00000000 00010000 0001 01 815 /run/c/vms/1/qmp.sock",
    "0000000000000000: 00000003 00000000 00000000 0001 03 816 /run/c/vms/1/qmp.sock",
  ].join("\n");
  expect(parseUnixTable(unix)).toEqual([{ inode: "815", name: "/run/c/vms/1/qmp.sock" }]);
});

test.runIf(process.platform === "linux")("a process is seen to listen where it does", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cumulus-doctor-"));
  const servers = [createServer(), createServer()];
  try {
    const [unix, tcp] = servers;
    unix?.listen(join(folder, "s.sock"));
    tcp?.listen(0, "127.0.0.1");
    await Promise.all(servers.map((server) => once(server, "listening")));
    const address = tcp?.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const seen = await gatherListeners(process.pid);
    expect(seen?.unix).toContain(join(folder, "s.sock"));
    expect(seen?.tcp).toContain(`127.0.0.1:${port}`);
  } finally {
    for (const server of servers) server.close();
    await rm(folder, { recursive: true });
  }
});
