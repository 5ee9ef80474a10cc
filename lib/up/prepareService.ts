import { messageOf } from "../domain/errors";
import { readSettings } from "../env";
import { ensureServiceAccount } from "../serviceAccount";
import { makeFolders, makeLogFiles, makeSecrets } from "./folders";

/** What `npm run up` makes before it starts console and agent, for a service manager that starts them itself: the console's user, folders, secrets, log files. */
async function prepareService(): Promise<void> {
  const settings = readSettings();
  process.umask(0o077);
  const account = await ensureServiceAccount();
  await makeFolders(settings, account);
  await makeSecrets(settings, account);
  await makeLogFiles("console", settings, account);
}

prepareService().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
