import { parseArgs } from "node:util";
import { messageOf } from "../domain/errors";
import { readSettings } from "../env";
import { Progress } from "./progress";
import { takeDown } from "./takeDown";

/** `npm run down`: stops supervisor, console, agent and database. VMs keep running, but with `-- --vms`. */
async function down(): Promise<void> {
  const { values } = parseArgs({ options: { vms: { type: "boolean" } } });
  const progress = new Progress((line) => console.log(line));
  const { hasRun, runningVms } = await takeDown(readSettings(), progress, { vms: values.vms ?? false });
  if (!hasRun) {
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
