import { messageOf } from "../domain/errors";
import { readSettings } from "../env";
import { makeSignInLink } from "./consoleClient";

/** `npm run sign-in-link`: prints a link that signs the administrator in once, for who has lost the password. */
makeSignInLink(readSettings()).then(
  (url) => console.log(url),
  (error: unknown) => {
    console.error(messageOf(error));
    process.exitCode = 1;
  },
);
