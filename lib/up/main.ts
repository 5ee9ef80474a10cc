import { CumulusError, messageOf } from "../domain/errors";
import { readSettings } from "../env";
import { announce } from "./announce";
import { readSwitches } from "./arguments";
import { startInBackground, talkToStarter, tellStarter } from "./background";
import { pidFileOf, readPidFile } from "./pidFile";
import { supervise } from "./supervise";

/** What `npm run up` runs once the modules are installed and this file is bundled. */

/** Exit code of `--if-running` that says "it does not". */
const notRunning = 3;

const options = {
  /** Return when Cumulus is ready, and leave the supervisor in the background. */
  detach: { type: "boolean", short: "d" },
  /** Only look: print the ready line when Cumulus runs. */
  "if-running": { type: "boolean" },
  /** Be the supervisor that `--detach` leaves behind. */
  background: { type: "boolean" },
} as const;

async function main(): Promise<number> {
  const switches = readSwitches(options, "npm run up [-- --detach]");
  const settings = readSettings();
  if (switches.background) return supervise(settings, talkToStarter());
  const running = await readPidFile(pidFileOf("up", settings));
  if (running) {
    await announce(settings, running, (line) => console.log(line));
    return 0;
  }
  if (switches["if-running"]) return notRunning;
  if (switches.detach) return startInBackground(settings);
  return supervise(settings, { print: (line) => console.log(line), showsLogs: true });
}

// Nobody may be looking any more: a closed terminal or pipe must not end the supervisor.
process.stdout.on("error", () => undefined);
process.stderr.on("error", () => undefined);

main().then(
  (exitCode) => process.exit(exitCode),
  async (error: unknown) => {
    const line = error instanceof CumulusError ? error.message : `Cumulus could not start: ${messageOf(error)}`;
    console.error(line);
    await tellStarter({ line });
    process.exit(1);
  },
);
