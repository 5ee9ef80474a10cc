import { access, readdir, readFile, rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { createAgentClient } from "../agent/client";
import { CumulusError, messageOf } from "../domain/errors";
import { pathsOf, readSettings, type Settings } from "../env";
import { removeNetworks } from "../hypervisor/network/removeNetworks";
import { Progress } from "./progress";
import { takeDown } from "./takeDown";

/**
 * `npm run uninstall -- --yes`: stops everything, VMs too, and removes the data and the run folder with all VMs, images and snapshots. What may be others' as well
 * stays, and is told: system packages, the system user, the checkout.
 */
async function uninstall(): Promise<void> {
  const { values } = parseArgs({ options: { yes: { type: "boolean" } } });
  const settings = readSettings();
  await refuseForeignFolder(settings);
  const { dataDir, runDir } = settings;
  if (!values.yes) {
    const vms = await countVms(settings);
    console.log(
      `This stops Cumulus and removes ${dataDir} with all that is in it (${vms === 1 ? "1 VM" : `${vms} VMs`}, images, snapshots, the database), and ${runDir}.`,
    );
    console.log("Nothing was changed. To do it: npm run uninstall -- --yes");
    return;
  }
  const progress = new Progress((line) => console.log(line));
  const vms = await isAgentThere(settings);
  if (!vms) await refuseRunningVms(settings);
  await takeDown(settings, progress, { vms });
  await removeNetworks(runDir);
  await progress.step("folders", async () => {
    for (const folder of [runDir, dataDir]) await rm(folder, { recursive: true, force: true });
  });
  console.log("Cumulus is removed. Left are this checkout, the system packages that it needed, and the system user");
  console.log("cumulus if root ran it: `userdel cumulus` removes that when no other installation uses it.");
}

/** A folder that is named by mistake must not be lost. @throws `bad_request` */
async function refuseForeignFolder(settings: Settings): Promise<void> {
  try {
    await access(pathsOf(settings).adminToken);
  } catch (cause) {
    throw new CumulusError("bad_request", `${settings.dataDir} is no data folder of Cumulus: nothing to remove.`, {
      cause,
    });
  }
}

async function countVms(settings: Settings): Promise<number> {
  const names = await readdir(pathsOf(settings).machines).catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).length;
}

async function isAgentThere(settings: Settings): Promise<boolean> {
  const agent = createAgentClient({ socketPath: pathsOf(settings).agentSocket, timeoutMs: 5_000 });
  return agent.host().then(
    () => true,
    () => false,
  );
}

/** Without an agent nobody can stop them in good order. @throws `conflict` */
async function refuseRunningVms(settings: Settings): Promise<void> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  const isOurs = (line: string) => /^[^\0]*qemu-system-/.test(line) && line.includes(`${settings.runDir}/vms/`);
  const count = lines.filter(isOurs).length;
  if (count === 0) return;
  throw new CumulusError(
    "conflict",
    `${count === 1 ? "1 VM runs" : `${count} VMs run`}, and the agent does not: start it with \`npm run up -- --detach\`, then try again.`,
  );
}

uninstall().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
