// `npm run NAME` for the programs of bundle.mjs: bundles it afresh and runs it with the arguments that follow.
import { pathToFileURL } from "node:url";
import { bundle, bundleOf, entries } from "./bundle.mjs";
import { ensureNodeModules } from "./nodeModules.mjs";
import { root } from "./root.mjs";

const name = process.argv[2];
if (!Object.hasOwn(entries, name)) {
  console.error(`There is no program ${name}: choose one of ${Object.keys(entries).join(", ")}.`);
  process.exit(1);
}
process.chdir(root);
ensureNodeModules();
await bundle([name]);
process.argv.splice(1, 2, bundleOf(name));
await import(pathToFileURL(bundleOf(name)).href);
