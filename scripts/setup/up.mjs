// `npm run up`: what must happen before there is a bundle to run. The rest is lib/up/main.ts.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isAppBuilt } from "./appBuild.mjs";
import { bundle, bundleOf } from "./bundle.mjs";
import { ensureNodeModules } from "./nodeModules.mjs";
import { root } from "./root.mjs";

process.chdir(root);
// What is installed and built here is read by the console too, which may run as another user.
process.umask(0o022);

// A Cumulus that runs is left as it is: nothing is installed or built under it.
if (existsSync(bundleOf("up")) && existsSync(join(root, "node_modules"))) {
  const look = spawnSync(process.execPath, [bundleOf("up"), "--if-running"], {
    stdio: ["ignore", "inherit", "ignore"],
  });
  if (look.status === 0) {
    if (!isAppBuilt()) console.log("The sources have changed since: `npm run down && npm run up` takes them over.");
    process.exit(0);
  }
}
ensureNodeModules();
await bundle(["up", "down", "sign-in-link", "console", "agent"]);
process.argv[1] = bundleOf("up");
await import(pathToFileURL(bundleOf("up")).href);
