import { createConnection, type Socket } from "node:net";

export interface BannerOptions {
  deadlineMs?: number;
  attemptEveryMs?: number;
  /** An attempt that a guest without a network swallowed is given up after this; a guest that takes longer to greet needs more. */
  patienceMs?: number;
}

/**
 * Waits for the banner of an SSH server (RFC 4253, section 4.2) and answers when it came, on `performance.now()`'s clock. QEMU's forward accepts
 * at once, though the guest is down: so attempts overlap, and the first one that is answered counts.
 */
export async function awaitSshBanner(
  port: number,
  { deadlineMs = 60_000, attemptEveryMs = 150, patienceMs = 1_500 }: BannerOptions = {},
): Promise<number> {
  const sockets = new Set<Socket>();
  return new Promise<number>((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearInterval(timer);
      clearTimeout(deadline);
      for (const socket of sockets) socket.destroy();
      settle();
    };
    const attempt = () => {
      const socket = createConnection({ host: "127.0.0.1", port, timeout: patienceMs });
      sockets.add(socket);
      const giveUp = () => {
        sockets.delete(socket);
        socket.destroy();
      };
      socket.on("error", giveUp).on("timeout", giveUp).on("close", giveUp);
      socket.once("data", (bytes) => {
        if (bytes.toString("latin1").startsWith("SSH-")) finish(() => resolve(performance.now()));
      });
    };
    const timer = setInterval(attempt, attemptEveryMs);
    const deadline = setTimeout(
      () => finish(() => reject(new Error(`No SSH server answered on port ${port} within ${deadlineMs / 1000} s.`))),
      deadlineMs,
    );
    attempt();
  });
}
