import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { CumulusError, messageOf } from "../../domain/errors";
import { asUser, type MachineUser } from "../../system/machineUsers";

const maxOutputBytes = 64 * 1024 ** 2;
const endMs = 10_000;

/** Digits of a mark, a line which tells that a command is done. */
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
  /** Why it carries out nothing more; null as long as it does. */
  private whyOver: string | null = null;
  /** Emits `news` when more was printed, or it is over. */
  private readonly events = new EventEmitter();
  private readonly ended: Promise<void>;

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    this.ended = new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.on("error", (error) => {
        this.errors = messageOf(error);
        if (child.pid === undefined) resolve();
      });
    });
    child.stdout.on("data", (chunk: Buffer) => this.take(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      this.errors = `${this.errors}${chunk.toString("utf8")}`.slice(-4000);
    });
    child.stdin.on("error", () => {});
    void this.ended.then(() => this.giveUp(this.errors.trim().split("\n").at(-1) || "it ended"));
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

  /**
   * As `run`, for many commands.
   * @returns what each printed, nothing for those that failed
   * @throws CumulusError `unavailable` when guestfish or its machine has ended, or they take too long
   */
  async answers(commands: string[], timeoutMs: number): Promise<Buffer[]> {
    // Not known to what is printed, which may be a guest's.
    const end = newMark();
    const separated = commands.flatMap((command) => [command, `echo ${end.trim()}`]);
    // The machine's own word at the end: of one that is gone every command has merely failed.
    let rest = await this.carryOut([...separated, `echo-daemon ${end.trim()}`], timeoutMs);
    const answers = commands.map(() => {
      const at = rest.indexOf(end);
      const answer = rest.subarray(0, at);
      rest = rest.subarray(at + end.length);
      return answer;
    });
    if (rest.toString("latin1") !== end) throw this.over("its machine ended");
    return answers;
  }

  private async assertDone(output: Promise<Buffer>): Promise<Buffer> {
    const bytes = await output;
    const said = /libguestfs: error: (.*)/.exec(this.errors)?.[1];
    if (said === undefined) return bytes;
    throw isMachineGone(said) ? this.over(said) : meaningOf(said);
  }

  /** A dash before a command: its failure is told, and does not end guestfish. */
  private async carryOut(commands: string[], timeoutMs: number): Promise<Buffer> {
    if (this.whyOver !== null) throw this.failure(this.whyOver);
    const mark = newMark();
    this.output = [];
    this.outputBytes = 0;
    this.errors = "";
    this.child.stdin.write(`${commands.map((words) => `-${words}\n`).join("")}echo ${mark}`);
    const timer = setTimeout(() => this.giveUp("it took too long"), timeoutMs);
    try {
      while (this.tail.toString("latin1") !== mark) {
        if (this.whyOver !== null) throw this.failure(this.whyOver);
        await once(this.events, "news");
      }
    } finally {
      clearTimeout(timer);
    }
    // What was said of failures is there by now, in a pipe of its own: this turn of the event loop may have asked before it was, the next one reads it.
    for (let turn = 0; turn < 2; turn += 1) await setImmediate();
    return Buffer.concat(this.output).subarray(0, -mark.length);
  }

  /**
   * Ends it with its machine: at the end of its input it puts both away, and by force it leaves the machine behind for a moment. A command that is being carried
   * out may come to its end.
   */
  async close(): Promise<void> {
    this.child.stdin.end();
    const timer = setTimeout(() => this.giveUp("it was closed"), endMs);
    await this.ended;
    clearTimeout(timer);
  }

  /** Ends it at once: what it would still print of one command would be taken for the next one's. */
  private giveUp(why: string): void {
    this.whyOver ??= why;
    this.child.kill("SIGKILL");
    this.events.emit("news");
  }

  private take(chunk: Buffer): void {
    this.output.push(chunk);
    this.outputBytes += chunk.length;
    this.tail = Buffer.concat([this.tail, chunk.subarray(-markBytes - 1)]).subarray(-markBytes - 1);
    if (this.outputBytes > maxOutputBytes) this.giveUp("it said more than it may");
    this.events.emit("news");
  }

  /** Ends it since it can carry out nothing more. */
  private over(why: string): CumulusError {
    this.giveUp(why);
    return this.failure(why);
  }

  private failure(why: string): CumulusError {
    return new CumulusError("unavailable", `The disk could not be looked into: ${why}`, { retryAfterSeconds: 5 });
  }
}

function newMark(): string {
  return `${randomBytes(markBytes / 2).toString("hex")}\n`;
}

/** Whether libguestfs says that its machine is gone: first so, and then of every command that none has been started. guestfish itself goes on. */
function isMachineGone(said: string): boolean {
  return /^(appliance closed the connection unexpectedly|\w+: call launch before using this function)/.test(said);
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
