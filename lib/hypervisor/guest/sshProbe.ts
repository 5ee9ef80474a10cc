import { createConnection } from "node:net";

/** Where the host finds a guest's SSH server: a forwarded port of its own, or the guest's address. */
export interface SshTarget {
  host: string;
  port: number;
}

/**
 * Waits until an SSH server answers. QEMU's user-mode network accepts a connection though the guest is
 * down, so nothing counts but the `SSH-` banner (RFC 4253, section 4.2). One connection at a time, and none after the first banner.
 */
export class SshProbe {
  private isStopped = false;
  private cancel: () => void = () => {};

  /**
   * @param patienceMs how long an accepted connection may stay silent: short until the guest has a network, for its packets may be lost. One that isn't accepted soon is
   * given up earlier.
   * @param askElsewhere whether a server answers somebody to whom another way leads; asked now and then, since it takes a process
   */
  constructor(
    private readonly target: SshTarget,
    private readonly patienceMs: () => number,
    private readonly onBanner: () => void,
    private readonly askElsewhere: (() => Promise<boolean>) | null = null,
  ) {
    void this.run();
  }

  stop(): void {
    this.isStopped = true;
    this.cancel();
  }

  private async run(): Promise<void> {
    let askedElsewhereAtMs = Date.now();
    while (!this.isStopped) {
      const startedAtMs = Date.now();
      let hasBanner = await this.attempt();
      if (!hasBanner && !this.isStopped && Date.now() - askedElsewhereAtMs > elsewhereIntervalMs) {
        hasBanner = (await this.askElsewhere?.()) ?? false;
        askedElsewhereAtMs = Date.now();
      }
      if (this.isStopped) return;
      if (hasBanner) return this.onBanner();
      await this.pause(Math.max(20, intervalMs - (Date.now() - startedAtMs)));
    }
  }

  private attempt(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = createConnection(this.target);
      let text = "";
      const done = (hasBanner: boolean) => {
        clearTimeout(timer);
        socket.destroy();
        resolve(hasBanner);
      };
      const patienceMs = this.patienceMs();
      let timer = setTimeout(() => done(false), Math.min(patienceMs, connectMs));
      socket.once("connect", () => {
        clearTimeout(timer);
        timer = setTimeout(() => done(false), patienceMs);
      });
      this.cancel = () => done(false);
      socket.on("data", (chunk) => {
        // A server may send other lines before the banner.
        text = (text + chunk.toString("latin1")).slice(-4096);
        if (/(^|\n)SSH-/.test(text)) done(true);
      });
      socket.on("error", () => done(false));
      socket.on("close", () => done(false));
    });
  }

  private pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.cancel = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const intervalMs = 150;
/** A firewall may drop what asks for a connection. */
const connectMs = 2_500;
const elsewhereIntervalMs = 3000;
