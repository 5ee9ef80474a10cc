import { createAgentClient } from "../agent/client";
import { pathsOf, type Settings } from "../env";
import { projectDir } from "../paths";
import { type ServiceAccount, type ServiceRunner, serviceEnvironment } from "../serviceAccount";
import { ChildService } from "./childService";
import { readHealth } from "./consoleClient";

const readyTimeoutMs = 60_000;
/** Room for the young objects of an answer with a thousand VMs: a fifth less time for it (measured), and none of it held when idle. */
const consoleFlags = ["--max-semi-space-size=48"];

/**
 * The agent: as this process' user, so as root where that is what it is.
 * @param launcher a program, with its arguments, that becomes the agent's: one that enters another namespace, say
 */
export function agentService(settings: Settings, launcher: readonly string[] = []): ChildService {
  const agent = createAgentClient({ socketPath: pathsOf(settings).agentSocket, timeoutMs: 5_000 });
  const program = [process.execPath, "--enable-source-maps", `${projectDir}/dist/agent.js`];
  const [file = process.execPath, ...args] = [...launcher, ...program];
  return new ChildService({
    part: "agent",
    settings,
    command: [file, ...args],
    cwd: projectDir,
    env: { ...process.env, ...sharedVariables(settings), LOG_PRETTY: "0" },
    account: undefined,
    isReady: () =>
      agent.host().then(
        () => true,
        () => false,
      ),
    readyTimeoutMs,
  });
}

/** The console: with no more rights and no more of the environment than it needs. */
export function consoleService(
  settings: Settings,
  account: ServiceAccount | undefined,
  runner: ServiceRunner,
): ChildService {
  const projectPath = runner.pathOf(projectDir);
  const own = Object.entries(process.env).flatMap(([name, value]) =>
    /^(CUMULUS_|LOG_LEVEL$|LANG$|TZ$)/.test(name) && value !== undefined ? [[name, value] as const] : [],
  );
  return new ChildService({
    part: "console",
    settings,
    command: runner.command([runner.node, ...consoleFlags, `${projectPath}/dist/console.js`]),
    cwd: projectDir,
    env: serviceEnvironment({
      ...Object.fromEntries(own),
      ...sharedVariables(settings),
      HOME: settings.dataDir,
      HOST: settings.host,
      PORT: String(settings.port),
      ...(settings.databaseUrl === undefined ? {} : { DATABASE_URL: settings.databaseUrl }),
    }),
    account,
    isReady: async () => (await readHealth(settings))?.isOk ?? false,
    readyTimeoutMs,
  });
}

/** Said, not guessed again: another user would find other folders. */
function sharedVariables(settings: Settings): Record<string, string> {
  return {
    CUMULUS_DATA_DIR: settings.dataDir,
    CUMULUS_RUN_DIR: settings.runDir,
    NODE_ENV: "production",
    NEXT_TELEMETRY_DISABLED: "1",
  };
}
