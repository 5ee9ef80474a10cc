import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { readSettings } from "../env";
import { createFakeHypervisor, type FakeHypervisor } from "../hypervisor/fake";
import type { Hypervisor } from "../hypervisor/hypervisor";
import { type AgentClient, type AgentClientOptions, createAgentClient } from "./client";
import { type AgentServer, type AgentServerOptions, createAgentServer } from "./server";
import type { AnyTaskKind } from "./tasks/kind";
import { TaskRunner } from "./tasks/runner";

/** A path for a socket that is gone when the test is over. */
export function testSocketPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "agent-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "agent.sock");
}

export function testHypervisor(): FakeHypervisor {
  const hypervisor = createFakeHypervisor({ stepMs: 5, shutdownMs: 10 });
  onTestFinished(() => hypervisor.close());
  return hypervisor;
}

/** A runner of these kinds over a data folder that is gone when the test is over. */
export function testTaskRunner(hypervisor: Hypervisor, kinds: Record<string, AnyTaskKind>): TaskRunner {
  const dataDir = mkdtempSync(join(tmpdir(), "agent-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const settings = readSettings({ NODE_ENV: "test", CUMULUS_DATA_DIR: dataDir, CUMULUS_RUN_DIR: join(dataDir, "run") });
  return new TaskRunner({ settings, hypervisor, kinds, log: { debug() {}, info() {}, warn() {}, error() {} } });
}

export interface TestAgent {
  socketPath: string;
  client: AgentClient;
  server: AgentServer;
  /** What the agent logged as unexpected. */
  logged: unknown[];
  close(): Promise<void>;
}

/** An agent that serves the hypervisor on a real socket for as long as the test runs. */
export async function startTestAgent(
  hypervisor: Hypervisor,
  options: Partial<AgentServerOptions> & Partial<AgentClientOptions> = {},
): Promise<TestAgent> {
  const { socketPath = testSocketPath() } = options;
  const logged: unknown[] = [];
  const log = { error: (entry: unknown) => void logged.push(entry) };
  const tasks = options.tasks ?? testTaskRunner(hypervisor, {});
  const server = createAgentServer({ hypervisor, log, ...options, tasks });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeStreams();
      server.closeAllConnections();
    });
  onTestFinished(async () => {
    if (server.listening) await close();
  });
  return { socketPath, client: createAgentClient({ socketPath, ...options }), server, logged, close };
}
