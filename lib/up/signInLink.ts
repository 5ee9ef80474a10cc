import { messageOf } from "../domain/errors";
import { readSettings } from "../env";
import { makeSignInLink } from "./consoleClient";

/** `npm run sign-in-link`: for who has lost the password. It is forgotten, and the link leads to setting a new one. */
makeSignInLink(readSettings(), true).then(
  (url) => console.log(`The password is forgotten. Set a new one, once: ${url}`),
  (error: unknown) => {
    console.error(messageOf(error));
    process.exitCode = 1;
  },
);
