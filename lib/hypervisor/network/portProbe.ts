import { createConnection } from "node:net";

/** What became of a try to connect: `open` came with the first bytes that the server said, if it spoke in time, or was ended by it without a word. */
export type ProbeResult = { outcome: "open"; greeting: string; isEnded: boolean } | { outcome: "refused" | "silent" };

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
    const giveUp = (isEnded: boolean) =>
      done(isOpen ? { outcome: "open", greeting: "", isEnded } : { outcome: "silent" });
    let timer = setTimeout(giveUp, timeoutMs, false);
    socket.once("connect", () => {
      isOpen = true;
      clearTimeout(timer);
      timer = setTimeout(giveUp, greetingMs, false);
    });
    socket.once("data", (chunk) =>
      done({ outcome: "open", greeting: chunk.toString("latin1").slice(0, 255), isEnded: false }),
    );
    socket.once("error", (error) => {
      const isRefused = "code" in error && error.code === "ECONNREFUSED";
      done(isOpen ? { outcome: "open", greeting: "", isEnded: true } : { outcome: isRefused ? "refused" : "silent" });
    });
    socket.once("close", () => giveUp(true));
  });
}
