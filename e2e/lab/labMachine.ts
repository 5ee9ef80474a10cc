import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { projectDir } from "../../lib/paths";

/** Unlike anything that a program prints; holds the exit status of the last command. */
const hostPrompt = /«(\d+)» \$ $/;

/** A kernel's message may come after a prompt for a login: people press Enter then, and have a new one. */
const enterEveryMs = 30_000;

/**
 * A computer of the test's own (machine.sh), with root's shell on a terminal. Ending it ends all that runs on it: it is the first process of a pid
 * namespace.
 */
export class LabMachine {
  private unread = "";
  private process: ChildProcessWithoutNullStreams;

  private constructor(
    /** Of the test's own; holds the shell's home and Cumulus' data. */
    private readonly folder: string,
  ) {
    this.process = this.switchOn();
  }

  /** @param prepare fills the folder before the machine starts */
  static async start(prepare: (folder: string) => Promise<void>): Promise<LabMachine> {
    const folder = await mkdtemp(join(tmpdir(), "cumulus-os-cloud-"));
    try {
      await mkdir(join(folder, "home"));
      await writeFile(join(folder, "bashrc"), bashrc(folder));
      await prepare(folder);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    return new LabMachine(folder);
  }

  /** As by pulling the plug and putting it in again: files stay, processes and networks don't. */
  async reboot(): Promise<void> {
    await this.switchOff();
    this.unread = "";
    this.process = this.switchOn();
  }

  type(text: string): void {
    this.process.stdin.write(text);
  }

  /**
   * Waits until the terminal stands at a prompt; `"$ "` is the host's shell.
   * @returns what was printed since the last one
   * @throws what is there instead after the deadline, or when the last command of the host's shell failed
   */
  async untilPrompt(prompt: string, deadlineMs: number): Promise<string> {
    const pattern = prompt === "$ " ? hostPrompt : new RegExp(`${escaped(prompt.trimEnd())} ?$`);
    const endMs = Date.now() + deadlineMs;
    let enterAtMs = Date.now() + enterEveryMs;
    for (;;) {
      const text = readable(this.unread);
      const found = pattern.exec(text);
      if (found) {
        this.unread = "";
        const printed = text.slice(0, found.index);
        if (found[1] !== undefined && found[1] !== "0")
          throw new Error(`It ended with status ${found[1]}:\n${printed}`);
        return printed;
      }
      if (this.hasEnded) throw new Error(`The machine ended:\n${text}`);
      if (Date.now() > endMs) throw new Error(`Not within ${deadlineMs / 1000} s at "${prompt}":\n${text}`);
      if (prompt.endsWith("login: ") && Date.now() > enterAtMs) {
        this.type("\n");
        enterAtMs = Date.now() + enterEveryMs;
      }
      await delay(20);
    }
  }

  async stop(): Promise<void> {
    await this.switchOff();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }

  private switchOn(): ChildProcessWithoutNullStreams {
    const own = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const script = join(projectDir, "e2e", "lab", "machine.sh");
    const child = spawn("unshare", [...own, "--", "bash", script, this.folder], {
      cwd: projectDir,
      env: {
        PATH: process.env.PATH,
        NODE: process.execPath,
        HOME: join(this.folder, "home"),
        TERM: "dumb",
        LANG: "C.UTF-8",
        NODE_ENV: process.env.NODE_ENV,
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.unread += text;
      });
    }
    // A machine that has ended is typed to in vain; whoever waits for it is told.
    child.stdin.on("error", () => undefined);
    return child;
  }

  private async switchOff(): Promise<void> {
    if (this.hasEnded) return;
    const gone = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await gone;
  }

  private get hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }
}

/** What makes the shell one of this machine: the installation's folder, a known_hosts of its own, and a prompt that is found. */
function bashrc(folder: string): string {
  return `stty cols 400 rows 60
PS1='«$?» $ ' PS2=
cd '${projectDir}'
export CUMULUS_DATA_DIR='${join(folder, "data")}' CUMULUS_ACCEL=tcg
export npm_config_update_notifier=false npm_config_loglevel=silent
ssh() { command ssh -o UserKnownHostsFile="$HOME/known_hosts" "$@"; }
`;
}

/** Without terminals' control sequences (ECMA-48), and with plain line ends. */
function readable(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
      .replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])/g, "")
      .replace(/\r+\n/g, "\n")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
      .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "")
  );
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
