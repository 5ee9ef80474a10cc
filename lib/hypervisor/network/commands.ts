import { delimiter } from "node:path";
import { execa } from "execa";
import { CumulusError } from "../../domain/errors";

/** The PATH on which the tools lie: Debian keeps them where a user's doesn't look. */
const toolPath = [process.env.PATH ?? "/usr/bin:/bin", "/usr/sbin", "/sbin"].join(delimiter);

/** A network namespace as a file; null is the agent's own, the host's. */
export type Namespace = string | null;

/**
 * Runs a tool in a network namespace and answers what it printed. Rejects with `internal` and the tool's own words, `unavailable` when it isn't
 * installed.
 */
export async function run(namespace: Namespace, program: string, args: string[], input = ""): Promise<string> {
  const command = inNamespace(namespace, program, args);
  const result = await execa(command.program, command.args, {
    input,
    reject: false,
    env: { PATH: toolPath, LC_ALL: "C" },
    timeout: 30_000,
    killSignal: "SIGKILL",
    stripFinalNewline: false,
  });
  if (!result.failed) return result.stdout;
  if (result.code === "ENOENT" || result.exitCode === 127) {
    throw new CumulusError("unavailable", `The program ${program} is not installed on this host: install it.`);
  }
  const words = result.stderr.trim().split("\n").slice(0, 3).join(" ") || result.shortMessage;
  throw new CumulusError("internal", `${program} failed: ${words}`, { cause: `${result.stderr}\n${input}` });
}

/** The same command within a network namespace; nothing else of the process changes (nsenter(1)). */
export function inNamespace(namespace: Namespace, program: string, args: string[]) {
  if (namespace === null) return { program, args };
  return { program: "nsenter", args: [`--net=${namespace}`, "--", program, ...args] };
}

/** Carries out lines of ip(8), in order; nothing for none. */
export async function ipBatch(namespace: Namespace, lines: string[]): Promise<void> {
  if (lines.length > 0) await run(namespace, "ip", ["-batch", "-"], `${lines.join("\n")}\n`);
}

/** What `ip -json` tells. */
export async function ipJson(namespace: Namespace, args: string[]): Promise<unknown> {
  return JSON.parse((await run(namespace, "ip", ["-json", ...args])) || "[]");
}

/** Writes kernel parameters of a namespace (which one is decided by who opens the file), all the same value. */
export async function setSysctls(namespace: Namespace, value: string, names: string[]): Promise<void> {
  await run(
    namespace,
    "tee",
    names.map((name) => `/proc/sys/net/${name}`),
    value,
  );
}
