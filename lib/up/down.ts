import { rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { findPostmaster, stopEmbeddedPostgres } from "../db/embedded";
import { messageOf } from "../domain/errors";
import { readSettings } from "../env";
import { endLeftover } from "./childService";
import { endProcess } from "./endProcess";
import { pidFileOf, readPidFile } from "./pidFile";
import { Progress } from "./progress";
import { countRunningVms, stopVms } from "./stopVms";

/** The supervisor itself waits for console, agent and database to end in good order. */
const supervisorTimeoutMs = 90_000;

/** `npm run down`: stops supervisor, console, agent and database. VMs keep running, but with `-- --vms`. */
async function down(): Promise<void> {
  const { values } = parseArgs({ options: { vms: { type: "boolean" } } });
  const settings = readSettings();
  const progress = new Progress((line) => console.log(line));
  if (values.vms) await progress.step("VMs", () => stopVms(settings));
  const runningVms = await countRunningVms(settings);
  let isDown = true;
  const end = async (name: string, act: () => Promise<boolean>) => {
    if (await progress.step(name, act)) isDown = false;
  };
  const supervisor = await readPidFile(pidFileOf("up", settings));
  await end("supervisor", async () => {
    if (supervisor) await endProcess(supervisor, supervisorTimeoutMs);
    await rm(pidFileOf("up", settings), { force: true });
    return supervisor !== undefined;
  });
  // Each part by itself as well: a supervisor that was killed has left them.
  for (const part of ["console", "agent"] as const) await end(part, () => endLeftover(part, settings));
  await end("database", async () => {
    const isRunning = (await findPostmaster(settings)) !== undefined;
    await stopEmbeddedPostgres(settings);
    return isRunning;
  });
  if (isDown) {
    console.log("Cumulus does not run.");
    return;
  }
  const rest = runningVms === 1 ? "1 VM keeps running" : `${runningVms} VMs keep running`;
  console.log(
    runningVms ? `Cumulus is stopped; ${rest}: \`npm run down -- --vms\` stops VMs too.` : "Cumulus is stopped.",
  );
}

down().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
