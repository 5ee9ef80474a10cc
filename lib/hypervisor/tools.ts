import { platform } from "node:os";
import { execa } from "execa";
import { CumulusError } from "../domain/errors";
import { fullDiskWords } from "../system/fullDisk";
import { asUser, type MachineUser } from "../system/machineUsers";

const maxMemoryBytes = 2 * 1024 ** 3;
const maxCpuSeconds = 120;

/**
 * A command for long work, as a user (null: our own), with a cap on memory. It ends with us: what it writes is nobody's once we are gone. On systems without
 * the means it is left as it is.
 */
export function confined(
  user: MachineUser | null,
  program: string,
  args: string[],
): { program: string; args: string[] } {
  if (platform() !== "linux") return asUser(user, program, args);
  const command = asUser(user, "", []);
  const rights = ["--pdeathsig=KILL", ...(user === null ? ["--"] : command.args.slice(0, -1)), program, ...args];
  return { program: "prlimit", args: [`--as=${maxMemoryBytes}`, "--core=0", "--", "setpriv", ...rights] };
}

/**
 * Runs a helper program to its end, with a cap on memory and time where the system has prlimit(1). Rejects with `internal`, or
 * `unavailable` when the program isn't installed, and the program's own last words.
 */
export async function runTool(program: string, args: string[], user: MachineUser | null = null): Promise<void> {
  const limits = [`--as=${maxMemoryBytes}`, `--cpu=${maxCpuSeconds}`, "--core=0", "--"];
  const limited =
    platform() === "linux" ? { program: "prlimit", args: [...limits, program, ...args] } : { program, args };
  const command = asUser(user, limited.program, limited.args);
  const result = await execa(command.program, command.args, {
    reject: false,
    stdin: "ignore",
    timeout: 2 * maxCpuSeconds * 1000,
    killSignal: "SIGKILL",
  });
  if (!result.failed) return;
  const words = result.stderr.trim().split("\n").at(-1) || result.shortMessage;
  if (result.code === "ENOENT" || result.exitCode === 127) {
    throw new CumulusError(
      "unavailable",
      `The program ${program} is not installed on this host: install it and try again.`,
    );
  }
  if (/No space left on device/i.test(result.stderr)) {
    throw new CumulusError("insufficient_capacity", fullDiskWords, { cause: result.stderr });
  }
  throw new CumulusError("internal", `${program} failed: ${words}`, { cause: result.stderr });
}
