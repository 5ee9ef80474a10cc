import { createConnection } from "node:net";

/** What became of a try to connect: `open` came with the first bytes that the server said, if it spoke in time. */
export type ProbeResult = { outcome: "open"; greeting: string } | { outcome: "refused" | "silent" };

/**
 * Connects to a TCP port, and waits for a first word if asked.
 * @param greetingMs how long an open port may take to say something; 0: it needn't
 */
export function probePort(host: string, port: number, timeoutMs: number, greetingMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    let isOpen = false;
    const done = (result: ProbeResult) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const giveUp = () => done(isOpen ? { outcome: "open", greeting: "" } : { outcome: "silent" });
    let timer = setTimeout(giveUp, timeoutMs);
    socket.once("connect", () => {
      isOpen = true;
      clearTimeout(timer);
      timer = setTimeout(giveUp, greetingMs);
    });
    socket.once("data", (chunk) => done({ outcome: "open", greeting: chunk.toString("latin1").slice(0, 255) }));
    socket.once("error", (error) => {
      const isRefused = "code" in error && error.code === "ECONNREFUSED";
      done(isOpen ? { outcome: "open", greeting: "" } : { outcome: isRefused ? "refused" : "silent" });
    });
    socket.once("close", giveUp);
  });
}
