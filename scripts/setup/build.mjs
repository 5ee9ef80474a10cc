// `npm run build`: what `npm run up` would install and build in the checkout, and starts nothing. For containers and services.
import { buildApp } from "./appBuild.mjs";
import { bundle, entries } from "./bundle.mjs";
import { ensureNodeModules } from "./nodeModules.mjs";
import { root } from "./root.mjs";

process.chdir(root);
// The console reads what is built, and runs as another user.
process.umask(0o022);
ensureNodeModules();
await bundle(Object.keys(entries).filter((name) => !["bench", "install-for-tests"].includes(name)));
await buildApp();
