// Imported before anything else, and written so that old versions can read it: it is what tells them apart.
import { readFileSync } from "node:fs";

const wanted = /([0-9]+)\.([0-9]+)/.exec(
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).engines.node,
);
const present = /^v([0-9]+)\.([0-9]+)/.exec(process.version);
const isNewEnough =
  Number(present[1]) > Number(wanted[1]) || (present[1] === wanted[1] && Number(present[2]) >= Number(wanted[2]));

if (!isNewEnough) {
  console.error(
    "Cumulus needs Node.js " +
      wanted[0] +
      " or newer, and this is " +
      present.input +
      ": install a newer one (https://nodejs.org).",
  );
  process.exit(1);
}
