import { setTimeout as delay } from "node:timers/promises";
import { CumulusError } from "../domain/errors";
import type { Settings } from "../env";
import { isAlive, type ProcessIdentity } from "../system/platform";
import { consoleUrl, makeSignInLink, readHealth } from "./consoleClient";

const startTimeoutMs = 10 * 60_000;

/** The last line of a start: where to go, with a sign-in link as long as the administrator has no password. */
export async function readyLine(settings: Settings): Promise<string> {
  const health = await readHealth(settings);
  if (!health?.needsSetup) return `Cumulus is ready: ${consoleUrl(settings)}`;
  return `Cumulus is ready: ${await makeSignInLink(settings)} (sign-in link, good once)`;
}

/** Prints the ready line of a Cumulus that another process keeps running, when it is ready. */
export async function announce(
  settings: Settings,
  supervisor: ProcessIdentity,
  print: (line: string) => void,
): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  let isTold = false;
  while (!(await readHealth(settings))?.isOk) {
    if (!(await isAlive(supervisor))) {
      throw new CumulusError("unavailable", "The other `npm run up` ended before Cumulus was ready: try again.");
    }
    if (Date.now() > deadline) {
      throw new CumulusError(
        "unavailable",
        `Cumulus is up (process ${supervisor.pid}) but does not answer at ${consoleUrl(settings)}: look into its logs, or \`npm run down\` and start again.`,
      );
    }
    if (!isTold) print(`  ..  another \`npm run up\` (process ${supervisor.pid}) is starting Cumulus`);
    isTold = true;
    await delay(500);
  }
  print(await readyLine(settings));
}
