import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { CumulusError, messageOf } from "../domain/errors";
import { pathsOf, readSettings, type Settings } from "../env";
import type { Hypervisor } from "../hypervisor/hypervisor";
import { sweepStagingFolders } from "../images/staging/folder";
import { createLog, type Log } from "../log";
import { sweepHandedOut } from "./handOut";
import { listenOnAgentSocket } from "./listen";
import { createAgentServer } from "./server";
import { removeOldExports, sweepExports } from "./tasks/exportKind";
import { taskKinds } from "./tasks/kinds";
import { TaskRunner } from "./tasks/runner";

/** The agent's process: holds the socket, takes up what runs, serves until SIGTERM. Its end stops no VM. */
async function main(): Promise<void> {
  let log: Log | undefined;
  const fail = (error: unknown) => {
    // What went wrong by the user's settings is told in a sentence; a stack helps with the rest.
    log?.fatal(error instanceof CumulusError ? {} : { err: error }, messageOf(error));
    process.stderr.write(`The agent can't go on: ${messageOf(error)}\n`);
    process.exit(1);
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);

  const settings = readSettings();
  const { agentSocket } = pathsOf(settings);
  // Folders above the socket stay passable for the console, which may run as another user.
  mkdirSync(dirname(dirname(agentSocket)), { recursive: true, mode: 0o711 });
  process.umask(0o077);
  log = createLog("agent", settings);

  const hypervisor = await createHypervisor(settings, log);
  let setReady = () => {};
  const ready = new Promise<void>((resolve) => {
    setReady = resolve;
  });
  const tasks = new TaskRunner({ settings, hypervisor, log, kinds: taskKinds });
  const server = createAgentServer({ hypervisor, tasks, log, ready, handOutDir: dirname(agentSocket) });

  const stop = async (signal: string) => {
    log?.info({ signal }, "The agent stops; VMs go on.");
    server.close();
    server.closeStreams();
    await tasks.close();
    await hypervisor.close();
    process.exit(0);
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);

  // The socket is held before anything is touched, so that two agents never drive the same VMs.
  await listenOnAgentSocket(server, agentSocket);
  await sweepHandedOut(dirname(agentSocket));
  await hypervisor.recover();
  await tasks.recover();
  await removeOldExports(settings);
  sweepExports(settings, log);
  await sweepStagingFolders(pathsOf(settings), (operationId) => tasks.isRunning(operationId));
  setReady();
  log.info({ socket: agentSocket, pid: process.pid }, "The agent answers.");
}

/** The real hypervisor, or with CUMULUS_HYPERVISOR=fake the one of the tests, benches and work on the dashboard. Only one is loaded. */
async function createHypervisor(settings: Settings, log: Log): Promise<Hypervisor> {
  if (process.env.CUMULUS_HYPERVISOR === "fake") {
    const { createFakeHypervisor } = await import("../hypervisor/fake");
    mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 });
    return createFakeHypervisor({
      stateFile: join(settings.dataDir, "fake-vms.json"),
      imageStore: pathsOf(settings),
      networkDriver: settings.network === "bridge" ? "bridge" : "user",
    });
  }
  const { createQemuHypervisor } = await import("../hypervisor/qemuHypervisor");
  return createQemuHypervisor({ settings, log });
}

void main();
