import { execa } from "execa";
import { inNamespace } from "./commands";

/** Connects and compares the first line (RFC 4253, section 4.2); host and port are its arguments. */
const script = 'exec 3<>"/dev/tcp/$0/$1" && read -r line <&3 && [[ $line == SSH-* ]]';
const timeoutSeconds = 3;

/** Whether an SSH server answers somebody in a network namespace. What it says before its banner is not waited for. */
export async function hasSshBanner(
  namespace: string,
  { host, port }: { host: string; port: number },
): Promise<boolean> {
  const bash = ["bash", "-c", script, host, String(port)];
  const { program, args } = inNamespace(namespace, "timeout", [String(timeoutSeconds), ...bash]);
  return !(await execa(program, args, { reject: false, stdin: "ignore" })).failed;
}
