import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { CumulusError, messageOf } from "../../domain/errors";
import { asUser, type MachineUser } from "../../system/machineUsers";

const maxOutputBytes = 64 * 1024 ** 2;
const endMs = 10_000;

/** Digits of a mark, which tells that a command is done. */
const markBytes = 16;

/** A command that failed, in a machine that goes on. */
export class CommandError extends CumulusError {}

/**
 * A guestfish(1) that waits for commands: libguestfs' own small machine with a disk in it, read-only. What is damaged or hostile in the disk's file systems meets that machine, which
 * runs with no rights on this host.
 */
export class Guestfish {
  private output: Buffer[] = [];
  private outputBytes = 0;
  /** What was printed last, as much as a mark is long. */
  private tail = Buffer.alloc(0);
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
   * @throws CommandError with guestfish's words when the command failed; CumulusError `unavailable` when guestfish has ended or takes too long
   */
  async run(words: string, timeoutMs: number): Promise<string> {
    return (await this.assertDone(this.carryOut([words], timeoutMs))).toString("utf8");
  }

  /** As `run`, for a command that writes to the file called `-`. It opens that by name, which what guestfish itself prints to has none of. */
  async bytes(words: string, timeoutMs: number): Promise<Buffer> {
    return this.assertDone(this.carryOut([`${words} | cat`], timeoutMs));
  }

  /** As `run`, for many commands that print a word each. @returns their words, empty for those that failed */
  async words(commands: string[], timeoutMs: number): Promise<string[]> {
    const printed = await this.carryOut(
      commands.flatMap((command) => [command, "echo ,"]),
      timeoutMs,
    );
    return printed
      .toString("latin1")
      .split(",")
      .map((word) => word.trim());
  }

  private async assertDone(output: Promise<Buffer>): Promise<Buffer> {
    const bytes = await output;
    const said = /libguestfs: error: (.*)/.exec(this.errors)?.[1];
    if (said !== undefined) throw meaningOf(said);
    return bytes;
  }

  /** A dash before a command: its failure is told, and does not end guestfish. */
  private async carryOut(commands: string[], timeoutMs: number): Promise<Buffer> {
    const mark = `${randomBytes(markBytes / 2).toString("hex")}\n`;
    this.output = [];
    this.outputBytes = 0;
    this.errors = "";
    this.child.stdin.write(`${commands.map((words) => `-${words}\n`).join("")}echo ${mark}`);
    const deadline = AbortSignal.timeout(timeoutMs);
    deadline.addEventListener("abort", () => this.onData(), { once: true });
    while (this.tail.toString("latin1") !== mark) {
      if (this.hasEnded || deadline.aborted) throw this.failure(deadline.aborted);
      await this.news();
    }
    return Buffer.concat(this.output).subarray(0, -mark.length);
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
    this.output.push(chunk);
    this.outputBytes += chunk.length;
    this.tail = Buffer.concat([this.tail, chunk.subarray(-markBytes - 1)]).subarray(-markBytes - 1);
    if (this.outputBytes > maxOutputBytes) this.child.kill("SIGKILL");
    this.onData();
  }

  private news(): Promise<void> {
    return new Promise((resolve) => {
      this.onData = resolve;
    });
  }

  private failure(isLate: boolean): CumulusError {
    const why = isLate ? "it took too long" : (this.errors.trim().split("\n").at(-1) ?? "it ended");
    return new CumulusError("unavailable", `The disk could not be looked into: ${why}`, { retryAfterSeconds: 5 });
  }
}

/** What libguestfs' words mean: those of the guest's file systems name nothing of this host. */
function meaningOf(said: string): CommandError {
  if (/no such file or directory/i.test(said))
    return new CommandError("not_found", `The disk doesn't have it: ${said}`);
  if (/not a directory/i.test(said)) return new CommandError("bad_request", `This is no folder: ${said}`);
  if (/no space left on device/i.test(said)) {
    return new CommandError("insufficient_capacity", "This host has no more room to look into the disk with.");
  }
  return new CommandError("unavailable", `The disk can't be read there: ${said}`);
}
