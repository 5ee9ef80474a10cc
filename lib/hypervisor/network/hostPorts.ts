import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { messageOf } from "../../domain/errors";
import type { PortForward } from "../../domain/hostNetwork";
import { isErrno, readTextIfThere } from "../../system/files";

export const loopback = "127.0.0.1";

/** Why a program without privileges can't listen on a port of this computer's loopback now, found by listening there for a moment; null when it can. */
export async function whyPortTaken(protocol: PortForward["protocol"], port: number): Promise<string | null> {
  const first = await firstUnprivilegedPort();
  if (port < first) return `ports below ${first} are for programs with privileges, which the VM's QEMU has not`;
  try {
    await (protocol === "tcp" ? listenTcp(port) : listenUdp(port));
    return null;
  } catch (error) {
    return isErrno(error, "EADDRINUSE") ? "a program of the host listens there" : messageOf(error);
  }
}

/** ip(7), `ip_unprivileged_port_start`; 0 where there is no such limit. */
async function firstUnprivilegedPort(): Promise<number> {
  return Number((await readTextIfThere("/proc/sys/net/ipv4/ip_unprivileged_port_start")) ?? "0");
}

function listenTcp(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host: loopback, port, exclusive: true }, () => server.close(() => resolve()));
  });
}

function listenUdp(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.once("error", (error) => socket.close(() => reject(error)));
    socket.bind({ address: loopback, port, exclusive: true }, () => socket.close(() => resolve()));
  });
}
