import { spawn } from "node:child_process";
import { open, readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { CumulusError, messageOf } from "../../domain/errors";
import { isErrno, readTail } from "../../system/files";
import { commandLineOf, isAlive, type ProcessIdentity, startTimeOf } from "../../system/platform";
import { inNamespace, type Namespace } from "./commands";

/** Whom dnsmasq runs as: a user of its own, which owns nothing else. */
export interface ServiceUser {
  uid: number;
  gid: number;
}

const endMs = 5_000;

/** A dnsmasq of ours: known by its configuration file, whose path holds the installation's run folder. */
export interface FoundDnsmasq {
  identity: ProcessIdentity;
  config: string;
}

/** All that were started with a configuration in this folder, by whichever agent. */
export async function findDnsmasqs(folder: string): Promise<FoundDnsmasq[]> {
  const pids = (await readdir("/proc")).map(Number).filter((pid) => Number.isInteger(pid) && pid > 0);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const config = configOf((await commandLineOf(pid)) ?? "", folder);
      const startTime = config === null ? null : await startTimeOf(pid);
      return config === null || startTime === null ? [] : [{ identity: { pid, startTime }, config }];
    }),
  );
  return found.flat();
}

function configOf(commandLine: string, folder: string): string | null {
  const argv = commandLine.split("\0");
  const option = argv.find((argument) => argument.startsWith(`--conf-file=${folder}/`));
  return argv.includes("dnsmasq") && option !== undefined ? option.slice("--conf-file=".length) : null;
}

/**
 * Starts dnsmasq in a session of its own, so that it outlives the agent, with no right but to bind DNS' and DHCP's ports, and in a namespace of ours to send
 * router advertisements and (it insists) to write that one's network tables. Rejects with its own words when it ends.
 */
export async function startDnsmasq(
  namespace: Namespace,
  user: ServiceUser,
  config: string,
  logFile: string,
): Promise<ProcessIdentity> {
  const rights = namespace === null ? "+net_bind_service" : "+net_bind_service,+net_raw,+net_admin";
  const command = inNamespace(namespace, "setpriv", [
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    "--clear-groups",
    "--no-new-privs",
    `--inh-caps=-all,${rights}`,
    `--ambient-caps=-all,${rights}`,
    `--bounding-set=-all,${rights}`,
    "--",
    "dnsmasq",
    "--keep-in-foreground",
    `--conf-file=${config}`,
  ]);
  const output = await open(logFile, "a", 0o600);
  try {
    const child = spawn(command.program, command.args, {
      detached: true,
      stdio: ["ignore", output.fd, output.fd],
      cwd: "/",
      env: { NODE_ENV: process.env.NODE_ENV, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, LANG: "C.UTF-8" },
    });
    await new Promise<void>((resolve, reject) => {
      child.once("error", (error) =>
        reject(new CumulusError("unavailable", `dnsmasq can't be started: ${messageOf(error)}`)),
      );
      child.once("spawn", resolve);
    });
    child.unref();
    const pid = child.pid ?? 0;
    return { pid, startTime: (await startTimeOf(pid)) ?? "ended" };
  } finally {
    await output.close();
  }
}

/** Waits until it answers DNS at an address and port. */
export async function awaitDnsmasq(
  identity: ProcessIdentity,
  { address, port, withinMs }: { address: string; port: number; withinMs: number },
  logFile: string,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  // proc(5), net/udp: the address in the byte order of a little-endian host, and the port in that of a network.
  const inHex = (value: number, digits: number) => value.toString(16).padStart(digits, "0").toUpperCase();
  const bytes = address.split(".").map((part) => inHex(Number(part), 2));
  const entry = `: ${bytes.reverse().join("")}:${inHex(port, 4)} `;
  while (true) {
    const words = async () => (await readTail(logFile, 2000)).trim().split("\n").slice(-2).join(" ");
    if (!(await isAlive(identity)))
      throw new CumulusError("internal", `dnsmasq could not start. It said: ${await words()}`);
    if ((await socketsOf(identity.pid)).includes(entry)) return;
    if (Date.now() > deadline)
      throw new CumulusError(
        "internal",
        `dnsmasq doesn't answer at port ${port}, which another program may have. It said: ${await words()}`,
      );
    await delay(10);
  }
}

async function socketsOf(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/net/udp`, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ESRCH", "EINVAL")) return "";
    throw error;
  }
}

/** SIGTERM, then SIGKILL; done when it is gone. */
export async function endDnsmasq(identity: ProcessIdentity): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (!(await signalProcess(identity, signal))) return;
    const deadline = Date.now() + endMs;
    while (await isAlive(identity)) {
      if (Date.now() > deadline) break;
      await delay(10);
    }
  }
}

/** Sends a signal to this very process. Answers whether it lives. */
export async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(identity))) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch (error) {
    if (isErrno(error, "ESRCH")) return false;
    throw error;
  }
}
