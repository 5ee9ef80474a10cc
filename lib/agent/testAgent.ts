import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createFakeHypervisor, type FakeHypervisor } from "../hypervisor/fake";
import type { Hypervisor } from "../hypervisor/hypervisor";
import { type AgentClient, type AgentClientOptions, createAgentClient } from "./client";
import { type AgentServer, type AgentServerOptions, createAgentServer } from "./server";

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
  const server = createAgentServer({ hypervisor, log, ...options });
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
