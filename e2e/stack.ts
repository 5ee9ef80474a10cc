import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AgentClient, createAgentClient } from "../lib/agent/client";
import { findPostmaster, startEmbeddedPostgres, stopEmbeddedPostgres } from "../lib/db/embedded";
import { noNetworks } from "../lib/domain/hostNetwork";
import { pathsOf, type Settings } from "../lib/env";
import { networkNames } from "../lib/hypervisor/network/names";
import type { LabNamespace } from "../lib/hypervisor/testing/lab/lab";
import { installBuiltImage } from "../lib/images/testing/builtImage";
import { ensureServiceAccount, serviceRunner } from "../lib/serviceAccount";
import { endProcessesOf } from "../lib/system/testing/endProcesses";
import { freePort } from "../lib/system/testing/freePort";
import { makeFolders, makeSecrets } from "../lib/up/folders";
import { agentService, consoleService } from "../lib/up/parts";
import { pidFileOf, readPidFile } from "../lib/up/pidFile";
import { requireArch } from "../lib/up/preconditions";

/** In which a guest under emulation comes up, also where others have the processor. */
export const bootMs = 180_000;

export interface ApiAnswer<T> {
  status: number;
  headers: Headers;
  body: T;
}

/** All of Cumulus on temporary folders, for tests and benches: real console, agent, PostgreSQL, and QEMU unless the fake is asked for. */
export interface Stack {
  url: string;
  /** The administrator's API token. */
  token: string;
  settings: Settings;
  agent: AgentClient;
  /** A request as the administrator; the answer's body as JSON (undefined when there is none). */
  api<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<ApiAnswer<T>>;
  /** @param env on top of the stack's own, for this start only: a failpoint, say, or another HOST */
  startConsole(env?: Record<string, string>): Promise<void>;
  startAgent(env?: Record<string, string>): Promise<void>;
  startPostgres(): Promise<void>;
  stopPostgres(): Promise<void>;
  pidOf(part: "console" | "agent" | "postgres"): Promise<number | undefined>;
  /** SIGKILL, as a crash is; resolves when the process is gone. */
  kill(part: "console" | "agent" | "postgres"): Promise<void>;
  /** Removes all VMs, ends all processes and deletes the folders. */
  stop(): Promise<void>;
}

export async function startStack(
  options: {
    hypervisor?: "qemu" | "fake";
    /** User-mode ones when not given. Real bridges need a `host`. */
    network?: "bridge" | "user";
    /** The namespace that is the agent's host; this machine itself when not given. */
    host?: LabNamespace;
    env?: Record<string, string>;
    startsParts?: boolean;
  } = {},
): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), "cumulus-stack-"));
  await chmod(folder, 0o711);
  const isFake = options.hypervisor === "fake";
  const settings: Settings = {
    port: await freePort(),
    host: "127.0.0.1",
    dataDir: join(folder, "data"),
    runDir: join(folder, "run"),
    databaseUrl: options.env?.DATABASE_URL,
    accelerator: "tcg",
    network: options.network ?? "user",
    isLab: false,
    stopsVms: false,
    allowedHosts: [],
    imageMirror: null,
    imageHosts: [],
  };
  const stackEnv = {
    CUMULUS_ACCEL: "tcg",
    CUMULUS_NETWORK: settings.network,
    ...(isFake && { CUMULUS_HYPERVISOR: "fake" }),
    ...options.env,
  };
  const launcher = options.host ? ["nsenter", `--net=${options.host.path}`, "--"] : [];
  const account = await ensureServiceAccount();
  const runner = await serviceRunner(account, settings);
  const agent = createAgentClient({ socketPath: pathsOf(settings).agentSocket });
  let token = "";

  const stack: Stack = {
    url: `http://127.0.0.1:${settings.port}`,
    get token() {
      return token;
    },
    settings,
    agent,
    api: (method, path, body, headers) =>
      callApi(`http://127.0.0.1:${settings.port}${path}`, token, method, body, headers),
    startConsole: (env = {}) =>
      withEnv({ ...stackEnv, ...env }, () =>
        consoleService({ ...settings, host: env.HOST ?? settings.host }, account, runner).start(),
      ),
    startAgent: (env = {}) => withEnv({ ...stackEnv, ...env }, () => agentService(settings, launcher).start()),
    startPostgres: async () => {
      if (!settings.databaseUrl) await startEmbeddedPostgres(settings);
    },
    stopPostgres: () => stopEmbeddedPostgres(settings),
    pidOf: async (part) =>
      part === "postgres" ? findPostmaster(settings) : (await readPidFile(pidFileOf(part, settings)))?.pid,
    kill: async (part) => {
      const pid = await stack.pidOf(part);
      if (pid === undefined) return;
      process.kill(pid, "SIGKILL");
      await until(`${part} is gone`, async () => (await stack.pidOf(part)) === undefined);
    },
    stop: async () => {
      await stack.kill("console");
      await removeVms(stack, isFake);
      if (options.host) await agent.applyNetworks(noNetworks);
      await stack.kill("agent");
      await stopEmbeddedPostgres(settings);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      process.off("exit", endAll);
      process.off("SIGTERM", leave);
    },
  };

  /** A test process that ends early takes its parts and their VMs along. */
  const endAll = () => {
    endProcessesOf(folder);
    if (options.host) spawnSync("ip", ["netns", "delete", networkNames(settings.runDir).namespace]);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const leave = () => process.exit(1);
  process.on("exit", endAll);
  process.on("SIGTERM", leave);

  try {
    await makeFolders(settings, account);
    await makeSecrets(settings, account);
    token = (await readFile(pathsOf(settings).adminToken, "utf8")).trim();
    if (!isFake) await installBuiltImage(pathsOf(settings), { name: "mini", arch: requireArch() });
    if (options.startsParts !== false) {
      await Promise.all([stack.startPostgres(), stack.startAgent()]);
      await stack.startConsole();
    }
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** Waits for a condition; asks every 50 ms. Rejects after the deadline, naming what was waited for. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, deadlineMs = 90_000): Promise<void> {
  const endMs = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`Waited ${deadlineMs / 1000} s in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function removeVms(stack: Stack, isFake: boolean): Promise<void> {
  if (isFake) return;
  if ((await stack.pidOf("agent")) === undefined) await stack.startAgent();
  for (const { id } of await stack.agent.observeAll()) await stack.agent.remove(id);
}

async function callApi<T>(
  url: string,
  token: string,
  method: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<ApiAnswer<T>> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : undefined) as T };
}

/** The parts take their variables from this process' environment: set for the time of a start. Starts of one process don't overlap with others' variables. */
async function withEnv<T>(env: Record<string, string>, run: () => Promise<T>): Promise<T> {
  const before = { ...process.env };
  Object.assign(process.env, env);
  try {
    return await run();
  } finally {
    for (const name of Object.keys(env)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}
