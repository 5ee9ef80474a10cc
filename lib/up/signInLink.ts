import { messageOf } from "../domain/errors";
import { readSettings } from "../env";
import { readSwitches } from "./arguments";
import { makeSignInLink } from "./consoleClient";

/** `npm run sign-in-link`: for who has lost the password. It is forgotten, and the link leads to setting a new one. */
async function signInLink(): Promise<void> {
  readSwitches({}, "npm run sign-in-link");
  console.log(`The password is forgotten. Set a new one, once: ${await makeSignInLink(readSettings(), true)}`);
}

signInLink().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
