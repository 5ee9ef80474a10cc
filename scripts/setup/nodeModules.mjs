import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.mjs";

const stampFile = join(root, "node_modules", ".cumulus-installed");

/** Installs the node modules unless they are there as package.json and package-lock.json say. Ends this process when npm fails. */
export function ensureNodeModules() {
  if (readStamp() === fingerprint()) return;
  console.log("  ..  installing node modules");
  // Not `npm ci`: it fails where a registry lacks a package for another platform. The lock file is followed, and not written.
  const npm = spawnSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    // The build needs the development dependencies too, whatever the caller's environment says.
    env: { ...process.env, NODE_ENV: "development" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (npm.status !== 0) {
    const why = npm.error ? `npm did not start: ${npm.error.message}` : "see what npm says above";
    console.error(
      `The node modules could not be installed (${why}). Check that this machine reaches the npm registry, and try again.`,
    );
    process.exit(1);
  }
  writeFileSync(stampFile, fingerprint());
}

function readStamp() {
  return existsSync(stampFile) ? readFileSync(stampFile, "utf8") : undefined;
}

/** Of what is to be installed, and for which kind of Node.js. */
function fingerprint() {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch} ${process.versions.modules}`);
  for (const name of ["package.json", "package-lock.json"]) hash.update(readFileSync(join(root, name)));
  return hash.digest("hex");
}
