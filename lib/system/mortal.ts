import { platform } from "node:os";
import { execa } from "execa";

/**
 * Programs that end when this process does, however it ends: what they write is nobody's once we are gone, and the next one of us begins
 * anew in the same place. A package manager that changes the host itself is none of them: it is better left to finish.
 */
export interface Command {
  program: string;
  args: string[];
}

/**
 * A command that the kernel ends with us (prctl(2), PR_SET_PDEATHSIG), for a program that starts no others. On systems without the means it
 * is left as it is.
 */
export function mortal({ program, args }: Command, deathSignal: "KILL" | "TERM" = "KILL"): Command {
  if (platform() !== "linux") return { program, args };
  // Within the change of user, if there is one: the kernel forgets the signal when a process becomes somebody else.
  const rest = program === "setpriv" ? args : ["--", program, ...args];
  return { program: "setpriv", args: [`--pdeathsig=${deathSignal}`, ...rest] };
}

/**
 * As `mortal`, for a program that starts others: all of them end with us, with what they have mounted.
 * @param isNestable false for a program that makes a user namespace of more than one id itself, which works in no other one
 * @returns also the signal that ends all of it sooner
 */
export async function mortalTree(
  command: Command,
  { isNestable = true } = {},
): Promise<Command & { killSignal: "SIGKILL" | "SIGTERM" }> {
  const mayWrap = isNestable || process.getuid?.() === 0;
  // Without namespaces the program is told to end, and is trusted to end what it has started.
  if (!mayWrap || !(await canMakeNamespaces())) return { ...mortal(command, "TERM"), killSignal: "SIGTERM" };
  // Also within: a change of user has the kernel forget what --kill-child asked for.
  const inner = mortal(command);
  const wrapped = { program: "unshare", args: [...namespaceFlags(), "--", inner.program, ...inner.args] };
  // What holds the namespace takes no SIGTERM.
  return { ...mortal(wrapped), killSignal: "SIGKILL" };
}

/** A namespace of process ids, which goes with its first process (pid_namespaces(7)), and one of mounts, which goes with its last. */
function namespaceFlags(): string[] {
  const asUser = process.getuid?.() === 0 ? [] : ["--user", "--map-current-user"];
  return [...asUser, "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];
}

let probe: Promise<boolean> | undefined;

/** Containers often may not. */
function canMakeNamespaces(): Promise<boolean> {
  probe ??= execa("unshare", [...namespaceFlags(), "--", "true"], { reject: false, stdin: "ignore" }).then(
    ({ failed }) => !failed,
  );
  return probe;
}
