import { messageOf } from "../domain/errors";
import { readSettings } from "../env";
import { isAgentThere, stopVmsUntilNextStart } from "./stopVms";

/** For a service manager, before the computer goes down: shuts all VMs down, which the next start of Cumulus brings back. */
async function stopVms(): Promise<void> {
  const settings = readSettings();
  if (await isAgentThere(settings)) await stopVmsUntilNextStart(settings);
}

stopVms().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
