import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import type { NetworkHost, NetworkState, NetworkStatus } from "../../../domain/hostNetwork";
import { readSettings, type Settings } from "../../../env";
import { projectDir } from "../../../paths";
import { endProcessesOf } from "../../../system/testing/endProcesses";
import { findDnsmasqs } from "../../network/dnsmasqProcess";
import { networkNames } from "../../network/names";
import { until } from "../until";

const folder = join(projectDir, "lib", "hypervisor", "testing", "lab");

/** A namespace of a test's own, and what runs in it. */
export class LabNamespace {
  private readonly children: ChildProcess[] = [];
  readonly path: string;

  constructor(readonly name: string) {
    this.path = `/run/netns/${name}`;
  }

  async make(): Promise<this> {
    await execa("ip", ["netns", "add", this.name]);
    await this.run("ip", ["link", "set", "dev", "lo", "up"]);
    return this;
  }

  /** Answers what the program printed; rejects when it fails. */
  async run(program: string, args: string[], input = ""): Promise<string> {
    return (await execa("nsenter", [`--net=${this.path}`, "--", program, ...args], { input })).stdout;
  }

  async ip(...lines: string[]): Promise<void> {
    await this.run("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
  }

  /** Starts a program and waits for its first line, "ready". Answers the lines that it prints from then on. */
  async start(program: string, args: string[]): Promise<string[]> {
    const child = spawn("nsenter", [`--net=${this.path}`, "--", program, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.children.push(child);
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
    await until(() => lines[0] === "ready", 20_000);
    return lines;
  }

  /** Runs a function body of Node.js in the namespace: `say(text)` prints, and the first thing that it says is waited for. */
  async node(body: string): Promise<string> {
    return this.run(process.execPath, ["-e", `const say = (text) => process.stdout.write(String(text));${body}`]);
  }

  /** Ends what was started here, and waits for its end. */
  async endPrograms(): Promise<void> {
    const living = this.children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const gone = living.map((child) => new Promise((resolve) => child.once("exit", resolve)));
    for (const child of living) child.kill("SIGKILL");
    await Promise.all(gone);
  }

  async remove(): Promise<void> {
    await this.endPrograms();
    await execa("ip", ["netns", "delete", this.name], { reject: false });
  }

  /** The same at once and without waiting, for a test process that ends early. */
  removeAtExit(): void {
    for (const child of this.children) child.kill("SIGKILL");
    spawnSync("ip", ["netns", "delete", this.name]);
  }
}

/**
 * A host of its own in a namespace, joined to nothing but another namespace that is "the internet": no packet of a test leaves the machine. On the host an
 * agent's networks run as a process of their own.
 */
export class Lab {
  readonly guests: LabNamespace[] = [];
  /** The namespace of the installation under test. */
  readonly inner: LabNamespace;
  private agent: ChildProcess | null = null;
  private readonly answers = new Map<number, (answer: { value?: unknown; error?: string }) => void>();
  private lastId = 0;

  private constructor(
    readonly key: string,
    private readonly folder: string,
    readonly settings: Settings,
    readonly host: LabNamespace,
    readonly internet: LabNamespace,
  ) {
    this.inner = new LabNamespace(this.names.namespace);
  }

  static async make(): Promise<Lab> {
    const key = randomBytes(3).toString("hex");
    const temporary = await mkdtemp(join(tmpdir(), "cumulus-lab-"));
    await execa("chmod", ["711", temporary]);
    const settings = readSettings({
      NODE_ENV: "test",
      CUMULUS_DATA_DIR: join(temporary, "data"),
      CUMULUS_RUN_DIR: join(temporary, "run"),
      CUMULUS_ACCEL: "tcg",
      CUMULUS_NETWORK: "auto",
    });
    const host = new LabNamespace(`lab-${key}-host`);
    const internet = new LabNamespace(`lab-${key}-inet`);
    const lab = new Lab(key, temporary, settings, host, internet);
    process.on("exit", lab.removeAtExit);
    process.on("SIGTERM", lab.leave);
    try {
      await host.make();
      await internet.make();
      await host.ip(
        `link add wan type veth peer name lan netns ${internet.name}`,
        "address add 203.0.113.2/24 dev wan",
        "link set dev wan up",
      );
      await internet.ip("address add 203.0.113.1/24 dev lan", "link set dev lan up");
      await host.ip("route add default via 203.0.113.1");
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  get names() {
    return networkNames(this.settings.runDir);
  }

  /**
   * @param program of this folder: `networkAgent.ts` or `hypervisorAgent.ts`
   * @param network what the agent is asked for, where that is not bridges if possible
   * @param resolvConf what it finds as resolv.conf(5), where that is not the machine's
   */
  async startAgent(
    program = "networkAgent.ts",
    network = this.settings.network,
    resolvConf: string | null = null,
  ): Promise<void> {
    const settings: Settings = { ...this.settings, network };
    const argv = [process.execPath, "--import", "tsx", join(folder, program), JSON.stringify(settings)];
    const prefix = resolvConf === null ? [] : await this.withResolvConf(resolvConf);
    const child = spawn("nsenter", [`--net=${this.host.path}`, "--", ...prefix, ...argv], {
      cwd: projectDir,
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.agent = child;
    const ready = this.answerTo(0);
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { id, ...answer } = JSON.parse(line);
      this.answers.get(id)?.(answer);
      this.answers.delete(id);
    });
    await ready;
  }

  /** As a crash does. */
  async killAgent(): Promise<void> {
    const child = this.agent;
    this.agent = null;
    if (child === null || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  apply(state: NetworkState): Promise<void> {
    return this.ask("applyNetworks", state);
  }

  status(): Promise<NetworkStatus> {
    return this.ask("networkStatus");
  }

  /** A guest of Linux's own on a VM's tap: a namespace with the interface's MAC, address and routes. */
  async guest(
    host: NetworkHost,
    network: { cidr: string; gateway: string; ipv6?: { gateway: string } | null },
  ): Promise<LabNamespace> {
    const guest = await new LabNamespace(`lab-${this.key}-vm${host.vmId}`).make();
    this.guests.push(guest);
    const tap = `t${host.vmId}${host.interfaceId.replace("net", "n")}`;
    await guest.start("python3", [
      join(folder, "frames.py"),
      "relay",
      this.names.namespacePath,
      tap,
      guest.path,
      host.mac,
    ]);
    await guest.ip(
      `address add ${host.ipv4}/${network.cidr.split("/")[1]} dev eth0`,
      `route add default via ${network.gateway}`,
      ...(host.ipv6 === null
        ? []
        : [`address add ${host.ipv6}/64 dev eth0 nodad`, `route replace default via ${network.ipv6?.gateway}`]),
    );
    return guest;
  }

  sendFrames(guest: LabNamespace, frames: Buffer[]): Promise<string> {
    const lines = frames.map((frame) => frame.toString("hex")).join("\n");
    return guest.run("python3", [join(folder, "frames.py"), "send", "eth0"], `${lines}\n`);
  }

  sniff(guest: LabNamespace, mark: string): Promise<string[]> {
    return guest.start("python3", [join(folder, "frames.py"), "sniff", "eth0", mark]);
  }

  ask<T>(method: string, ...args: unknown[]): Promise<T> {
    const id = ++this.lastId;
    const answer = this.answerTo<T>(id);
    this.agent?.stdin?.write(`${JSON.stringify({ id, method, args })}\n`);
    return answer;
  }

  /** Pids of processes in the installation's namespace or with its folders on their command lines. */
  async leftovers(): Promise<string[]> {
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
    const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
    return lines.filter((line) => line.includes(this.settings.runDir)).map((line) => line.replaceAll("\0", " "));
  }

  /** Takes away all that a reboot does, but the host's own link to the internet. */
  async rebootHost(): Promise<void> {
    for (const guest of this.guests.splice(0)) await guest.remove();
    for (const { identity } of await findDnsmasqs(this.names.folder)) process.kill(identity.pid, "SIGKILL");
    await execa("ip", ["netns", "delete", this.names.namespace]);
    // It goes with its other end, sooner or later.
    await this.host.run("ip", ["link", "delete", "dev", this.names.hostLink]).catch(() => undefined);
    await until(async () => !(await this.host.run("ip", ["-brief", "link"])).includes(this.names.hostLink));
    await this.host.run("nft", ["flush", "ruleset"]);
    await rm(this.settings.runDir, { recursive: true });
  }

  /** Removes the networks, as `down --vms` does. */
  async removeAll(): Promise<void> {
    const program = join(folder, "removeAll.ts");
    await execa(
      "nsenter",
      [`--net=${this.host.path}`, "--", process.execPath, "--import", "tsx", program, this.settings.runDir],
      {
        cwd: projectDir,
      },
    );
  }

  async close(): Promise<void> {
    await this.killAgent();
    for (const guest of this.guests) await guest.remove();
    await this.inner.endPrograms();
    await this.removeAll().catch(() => undefined);
    await this.host.remove();
    await this.internet.remove();
    await rm(this.folder, { recursive: true, force: true });
    process.off("exit", this.removeAtExit);
    process.off("SIGTERM", this.leave);
  }

  /** A test process that ends early takes along what it has made. */
  private readonly removeAtExit = () => {
    this.agent?.kill("SIGKILL");
    endProcessesOf(this.folder);
    for (const namespace of [...this.guests, this.inner, this.host, this.internet]) namespace.removeAtExit();
    rmSync(this.folder, { recursive: true, force: true });
  };
  private readonly leave = () => process.exit(1);

  /** A command that gives the one after it another resolv.conf(5), in a mount namespace of its own; what is mounted at /run/netns is still everybody's. */
  private async withResolvConf(text: string): Promise<string[]> {
    const file = join(this.folder, "resolv.conf");
    await writeFile(file, text);
    const script = `for path in / /run /etc/resolv.conf; do mount --make-private $path 2>&1 || true; done >/dev/null
for path in /etc/resolv.conf /run/systemd/resolve/resolv.conf; do [ ! -e $path ] || mount --bind "$0" $path; done
exec "$@"`;
    return ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script, file];
  }

  private answerTo<T>(id: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("The agent doesn't answer.")), 300_000);
      this.answers.set(id, ({ value, error }) => {
        clearTimeout(timer);
        if (error === undefined) resolve(value as T);
        else reject(new Error(error));
      });
    });
  }
}
