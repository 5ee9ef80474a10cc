import { messageOf } from "../domain/errors";
import { readSettings } from "../env";
import { readSwitches } from "./arguments";
import { Progress } from "./progress";
import { type TakenDown, takeDown } from "./takeDown";

/** `npm run down`: stops supervisor, console, agent and database. VMs keep running, but with `-- --vms`. */
async function down(): Promise<void> {
  const switches = readSwitches({ vms: { type: "boolean" } }, "npm run down [-- --vms]");
  const settings = readSettings();
  const progress = new Progress((line) => console.log(line));
  console.log(
    inWords(await takeDown(settings, progress, { vms: switches.vms ? "stopped" : "left" }), settings.dataDir),
  );
}

function inWords({ hasRun, runningVms, isKeptByOthers }: TakenDown, dataDir: string): string {
  const rest = runningVms === 1 ? "1 VM keeps running" : `${runningVms} VMs keep running`;
  if (isKeptByOthers) {
    const vms = runningVms > 0 ? `; ${rest}` : "";
    return `The agent was not started by \`npm run up\`: whatever did stops it (systemd: \`systemctl stop cumulus-console cumulus-agent\`)${vms}.`;
  }
  if (hasRun && runningVms === 0) return "Cumulus is stopped.";
  if (hasRun) return `Cumulus is stopped; ${rest}: \`npm run down -- --vms\` stops VMs too.`;
  if (runningVms === 0)
    return `Cumulus does not run. (Its data folder would be ${dataDir}; CUMULUS_DATA_DIR names another.)`;
  return `Cumulus does not run. ${rest}: \`npm run up -- --detach\`, then \`npm run down -- --vms\` stops VMs too.`;
}

down().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
