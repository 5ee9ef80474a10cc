import { access, readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CumulusError, messageOf } from "../domain/errors";
import { pathsOf, readSettings, type Settings } from "../env";
import { isErrno } from "../system/files";
import { removeTree } from "../system/removeTree";
import { readSwitches } from "./arguments";
import { Progress } from "./progress";
import { takeDown } from "./takeDown";

/**
 * `npm run uninstall -- --yes`: stops everything, VMs too, and removes the data and the run folder with all VMs, images and snapshots. What may be others' as well
 * stays, and is told: system packages, the system user, the checkout.
 */
async function uninstall(): Promise<void> {
  const { yes } = readSwitches({ yes: { type: "boolean" } }, "npm run uninstall [-- --yes]");
  const settings = readSettings();
  await refuseForeignFolder(settings);
  const { dataDir, runDir } = settings;
  if (!yes) {
    const vms = await countVms(settings);
    console.log(
      `This stops Cumulus and removes ${dataDir} with all that is in it (${vms === 1 ? "1 VM" : `${vms} VMs`}, images, snapshots, the database), and ${runDir}.`,
    );
    console.log("Nothing was changed. To do it: npm run uninstall -- --yes");
    return;
  }
  const progress = new Progress((line) => console.log(line));
  const { isKeptByOthers, runningVms } = await takeDown(settings, progress, { vms: "lost" });
  if (isKeptByOthers) {
    const vms =
      runningVms === 0 ? "The VMs are off" : `${runningVms === 1 ? "1 VM runs" : `${runningVms} VMs run`} yet`;
    throw new CumulusError(
      "conflict",
      `${vms}, and nothing was removed: the agent still runs, started by something else than \`npm run up\`. Stop it there (systemd: \`systemctl disable --now cumulus-console cumulus-vms cumulus-agent\`), then try again.`,
    );
  }
  await progress.step("folders", () => removeFolders(settings));
  console.log("Cumulus is removed. Left are this checkout, the system packages that it needed, and the system user");
  console.log("cumulus if root ran it: `userdel cumulus` removes that when no other installation uses it.");
}

/** A folder that is named by mistake must not be lost. @throws `bad_request` */
async function refuseForeignFolder(settings: Settings): Promise<void> {
  try {
    await access(pathsOf(settings).adminToken);
  } catch (cause) {
    const why = isErrno(cause, "ENOENT")
      ? "is no data folder of Cumulus: nothing to remove. CUMULUS_DATA_DIR names another one."
      : `can't be looked into (${messageOf(cause)}): call this as the user that runs \`npm run up\`.`;
    throw new CumulusError("bad_request", `${settings.dataDir} ${why}`, { cause });
  }
}

async function countVms(settings: Settings): Promise<number> {
  const names = await readdir(pathsOf(settings).machines).catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).length;
}

/** The token last, by which the folder is known: what is broken off can be called again. */
async function removeFolders(settings: Settings): Promise<void> {
  const { runDir, dataDir } = settings;
  // An agent that was killed leaves folders there that belong to others.
  await removeTree(runDir);
  // Root's run folders lie in one of their own.
  await rmdir(dirname(runDir)).catch(() => undefined);
  const token = pathsOf(settings).adminToken;
  const paths = (await readdir(dataDir)).map((name) => join(dataDir, name)).filter((path) => path !== token);
  for (const path of [...paths, dataDir]) await rm(path, { recursive: true, force: true });
}

uninstall().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
