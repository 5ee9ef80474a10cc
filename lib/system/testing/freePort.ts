import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the ports that Linux gives to whoever connects out (`ip_local_port_range`), and beside those of VMs' SSH. */
const ports = { first: 10_000, last: 19_999 };
const given = new Set<number>();

/**
 * A TCP port of 127.0.0.1 that nobody listens at, another one each time: who asked for one may not listen at it yet. Two workers of Vitest
 * that run side by side have half of the ports each. A port that the kernel picked would be one of those that it also
 * gives to outgoing connections: who stops listening for a moment may not get it back.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = pick();
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

function pick(): number {
  const half = (ports.last + 1 - ports.first) / 2;
  return ports.first + (Number(process.env.VITEST_POOL_ID ?? 0) % 2) * half + randomInt(half);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(false) : reject(error),
    );
    server.listen({ port, host: "127.0.0.1" }, () => server.close(() => resolve(true)));
  });
}
