import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.mjs";

/** The programs of Cumulus: `dist/NAME.js` and where its source begins. */
export const entries = {
  up: "lib/up/main.ts",
  down: "lib/up/down.ts",
  "sign-in-link": "lib/up/signInLink.ts",
  "import-templates": "lib/up/importTemplates.ts",
  uninstall: "lib/up/uninstall.ts",
  "prepare-service": "lib/up/prepareService.ts",
  "stop-vms": "lib/up/stopAllVms.ts",
  "install-for-tests": "lib/up/installForTests.ts",
  console: "lib/server.ts",
  agent: "lib/agent/main.ts",
  doctor: "lib/doctor/main.ts",
  bench: "e2e/bench/main.ts",
};

export function bundleOf(name) {
  return join(root, "dist", `${name}.js`);
}

/**
 * Bundles programs for Node.js; packages stay where npm put them. Takes a fraction of a second, so it is simply always done. A file is replaced
 * whole: another process may be about to run it.
 */
export async function bundle(names) {
  const { build, stop } = await import("esbuild");
  const result = await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(names.map((name) => [name, entries[name]])),
    outdir: "dist",
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    packages: "external",
    jsx: "automatic",
    sourcemap: true,
    write: false,
    logLevel: "silent",
  }).catch((error) => {
    for (const { text, location } of error.errors ?? [{ text: error.message }]) {
      console.error(location ? `${location.file}:${location.line}: ${text}` : text);
    }
    console.error(`${names.join(", ")} could not be built from the sources above.`);
    process.exit(1);
  });
  // Its process would stay as long as this one does.
  await stop();
  mkdirSync(join(root, "dist"), { recursive: true });
  for (const { path, contents } of result.outputFiles) {
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, contents);
    renameSync(draft, path);
  }
}
