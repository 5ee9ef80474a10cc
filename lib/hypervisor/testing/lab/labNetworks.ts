import type { HostNetwork, NetworkHost } from "../../../domain/hostNetwork";
import type { LabNamespace } from "./lab";

/** The one interface of a VM, with what follows from its id and its network's. */
export const host = (vmId: number, networkId: number): NetworkHost => ({
  vmId,
  interfaceId: "net0",
  mac: `52:54:00:00:0${networkId}:${vmId.toString(16).padStart(2, "0")}`,
  ipv4: `192.168.${networkId}.${vmId + 1}`,
  ipv6: `fd00:0:0:${networkId}::${vmId + 1}`,
  name: `vm${vmId}`,
});
export const network = (id: number, hosts: NetworkHost[], change: Partial<HostNetwork> = {}): HostNetwork => ({
  id,
  name: `net-${id}`,
  cidr: `192.168.${id}.0/24`,
  gateway: `192.168.${id}.1`,
  domain: `net-${id}.internal`,
  dnsServers: [],
  outside: "nat",
  reaches: [],
  ipv6: { cidr: `fd00:0:0:${id}::/64`, gateway: `fd00:0:0:${id}::1` },
  hosts,
  forwards: [],
  ...change,
});
/** Serves `hello from <address that the client has>` on a port. */
export const serve = (space: LabNamespace, port: number) =>
  space.start(process.execPath, [
    "-e",
    `require("node:http").createServer((request, answer) => answer.end("hello " + request.socket.remoteAddress)).listen(${port}, "::", () => console.log("ready"))`,
  ]);

/** After how long without an answer nothing is to come, where nothing is let through. */
export const silenceMs = 2500;

/** What a client reads there; "silent" or "refused" when it reads nothing. An answer that is to come may be late on a busy computer. */
export const get = (space: LabNamespace, address: string, port: number, timeoutMs = 20_000) =>
  space.node(`
    const request = require("node:http").get({ host: "${address}", port: ${port}, timeout: ${timeoutMs} }, (answer) => answer.on("data", say));
    request.on("timeout", () => { say("silent"); process.exit(); });
    request.on("error", (error) => say(error.code === "ECONNREFUSED" ? "refused" : "silent"));`);

/** What a name server answers for a name: an address, or an error's code. */
export const resolve = (space: LabNamespace, server: string, name: string) =>
  space.node(`
    const resolver = new (require("node:dns").promises.Resolver)({ timeout: 1000, tries: 2 });
    resolver.setServers(["${server}"]);
    resolver.resolve4("${name}").then((found) => say(found.join()), (error) => say(error.code));`);

/** A client that has its bytes echoed, ten a second, and says "ready" and then a line for each that comes back. */
export function dripClient(address: string, port: number): string {
  return `const socket = require("node:net").connect({ host: "${address}", port: ${port} }, () => {
    console.log("ready");
    setInterval(() => socket.write("x"), 100);
    socket.on("data", () => console.log("drip"));
  });`;
}

/** The same with datagrams: it says "drip" for each that comes back. */
export const datagramClient = (address: string, port: number) =>
  `const socket = require("node:dgram").createSocket("udp4", () => console.log("drip"));
  setInterval(() => socket.send("x", ${port}, "${address}"), 100);
  console.log("ready");`;

/** Whether an address answers an ICMP echo request: "answered" or "silent". */
export const ping = async (space: LabNamespace, address: string, timeoutMs = 20_000) =>
  (await space.run("python3", ["-c", echoRequest, address, String(timeoutMs / 1000)])).trim();

/** The header is written out with its checksum (RFC 792). Raw sockets hear all of a namespace's ICMP. */
const echoRequest = `import socket, sys
echo = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
echo.settimeout(float(sys.argv[2]))
echo.sendto(bytes([8, 0, 0xf7, 0xfd, 0, 1, 0, 1]), (sys.argv[1], 0))
try:
    while True:
        data, (sender, _) = echo.recvfrom(1500)
        if sender == sys.argv[1] and data[20] == 0: break
    print("answered")
except socket.timeout:
    print("silent")`;
