import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

/** A real OpenSSH client with a key of its own and a known_hosts of its own. */
export interface SshClient {
  publicKey: string;
  /**
   * Runs a command line as the dashboard shows it, with our key, and a command in the guest. Rejects when either fails.
   * @param from the namespace that it is run in
   */
  run(commandLine: string, guestCommand: string, from?: { path: string }): Promise<string>;
  remove(): Promise<void>;
}

/** As ssh-keygen(1) makes keys when it is told their type alone. RSA signs with SHA-2: nobody takes SHA-1 any more (OpenSSH 8.8). */
const keyKinds = {
  ed25519: { bits: [], options: [] },
  rsa: { bits: ["-b", "3072"], options: ["-o", "PubkeyAcceptedAlgorithms=rsa-sha2-512,rsa-sha2-256"] },
};

export async function createSshClient(kind: keyof typeof keyKinds = "ed25519"): Promise<SshClient> {
  const folder = await mkdtemp(join(tmpdir(), "cumulus-ssh-"));
  const keyFile = join(folder, `id_${kind}`);
  const { bits, options: ofKind } = keyKinds[kind];
  await execa("ssh-keygen", ["-q", "-t", kind, ...bits, "-N", "", "-C", "tests", "-f", keyFile]);
  return {
    publicKey: (await readFile(`${keyFile}.pub`, "utf8")).trim(),
    run: async (commandLine, guestCommand, from) => {
      const [file = "", ...args] = commandLine.split(" ");
      const own = ["-i", keyFile, "-o", "IdentitiesOnly=yes", "-o", `UserKnownHostsFile=${folder}/known_hosts`];
      const options = [...own, ...ofKind, "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "LogLevel=ERROR"];
      const argv = [file, ...options, ...args, guestCommand];
      const [program = "", ...rest] = from ? ["nsenter", `--net=${from.path}`, "--", ...argv] : argv;
      return (await execa(program, rest, { timeout: 60_000, stdin: "ignore" })).stdout;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
