import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { CumulusError, messageOf } from "../../domain/errors";
import { asUser, type MachineUser } from "../../system/machineUsers";

const maxOutputBytes = 64 * 1024 ** 2;
const endMs = 10_000;

/**
 * A guestfish(1) that waits for commands: libguestfs' own small machine with a disk in it, read-only. What is damaged or hostile in the disk's file systems meets that machine, which
 * runs with no rights on this host.
 */
export class Guestfish {
  private output = "";
  private errors = "";
  private onData: () => void = () => {};
  private hasEnded = false;

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    child.stdout.on("data", (chunk: Buffer) => this.take(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      this.errors = `${this.errors}${chunk.toString("utf8")}`.slice(-4000);
    });
    const end = () => {
      this.hasEnded = true;
      this.onData();
    };
    child.on("error", (error) => {
      this.errors = messageOf(error);
      end();
    });
    child.on("exit", end);
    child.stdin.on("error", () => {});
  }

  /**
   * @param nbdSocket where the disk is offered (NBD)
   * @param env where libguestfs finds its machine and may write
   */
  static start(nbdSocket: string, env: Record<string, string>, user: MachineUser | null): Guestfish {
    const args = ["--ro", "--format=raw", "-a", `nbd://?socket=${nbdSocket}`];
    const command = asUser(user, "guestfish", args);
    const limits = ["prlimit", "--core=0", "--", "setpriv", "--pdeathsig=KILL"];
    const [program = "", ...rest] =
      command.program === "setpriv"
        ? [...limits, ...command.args]
        : [...limits, "--", command.program, ...command.args];
    const child = spawn(program, rest, { stdio: "pipe", cwd: "/", env: { NODE_ENV: process.env.NODE_ENV, ...env } });
    return new Guestfish(child);
  }

  /**
   * Carries out a command and gives what it printed.
   * @param words of the command, quoted where they hold anything of a guest's
   * @throws CumulusError `not_found` with guestfish's words when the command failed, `unavailable` when guestfish has ended or takes too long
   */
  async run(words: string, timeoutMs: number): Promise<string> {
    const mark = randomBytes(8).toString("hex");
    this.output = "";
    this.errors = "";
    // A dash before a command: its failure is told, and does not end guestfish.
    this.child.stdin.write(`-${words}\necho ${mark}\n`);
    const deadline = AbortSignal.timeout(timeoutMs);
    while (!this.output.includes(`${mark}\n`)) {
      if (this.hasEnded || deadline.aborted) throw this.failure(deadline.aborted);
      await this.news(deadline);
    }
    const text = this.output.slice(0, this.output.indexOf(mark));
    const said = /libguestfs: error: (.*)/.exec(this.errors)?.[1];
    if (said !== undefined) throw new CumulusError("not_found", `The disk doesn't have it: ${said}`);
    return text;
  }

  /** Ends it with its machine: at the end of its input it puts both away, and by force it leaves the machine behind for a moment. */
  async close(): Promise<void> {
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill("SIGKILL"), endMs);
    while (!this.hasEnded) {
      await new Promise<void>((resolve) => {
        this.onData = resolve;
      });
    }
    clearTimeout(timer);
  }

  private take(chunk: Buffer): void {
    this.output += chunk.toString("utf8");
    if (this.output.length > maxOutputBytes) this.child.kill("SIGKILL");
    this.onData();
  }

  private news(deadline: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.onData = resolve;
      deadline.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  private failure(isLate: boolean): CumulusError {
    const why = isLate ? "it took too long" : (this.errors.trim().split("\n").at(-1) ?? "it ended");
    return new CumulusError("unavailable", `The disk could not be looked into: ${why}`, { retryAfterSeconds: 5 });
  }
}
