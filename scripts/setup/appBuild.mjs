import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { root } from "./root.mjs";

const sources = [
  "app",
  "components",
  "lib",
  "public",
  "next.config.ts",
  "postcss.config.mjs",
  "tsconfig.json",
  "package-lock.json",
];
const outputDir = join(root, ".next");
/** What the build was made from. It is there only while the build is whole. */
const stampFile = join(outputDir, "cumulus-built-from");
const lockFile = join(root, "dist", "app-build.lock");

/** Whether the app is built from the sources as they are now. */
export function isAppBuilt() {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === fingerprint();
}

/** Builds the web app into `.next` unless that is done. One process at a time; the others wait and find it done. Rejects when it fails. */
export async function buildApp() {
  if (isAppBuilt()) return;
  await takeLock();
  try {
    if (isAppBuilt()) return;
    const built = fingerprint();
    removeForeignOutput();
    rmSync(stampFile, { force: true });
    await runNextBuild();
    writeFileSync(stampFile, built);
  } finally {
    rmSync(lockFile, { force: true });
  }
}

/** Next's cache holds absolute paths: that of a checkout which was moved or copied, or of a build that was broken off, is of no use. */
function removeForeignOutput() {
  if (!existsSync(outputDir)) return;
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8").endsWith(` ${root}`)) return;
  // Its `dev` is a development server's, which may be running.
  for (const name of readdirSync(outputDir).filter((entry) => entry !== "dev")) {
    rmSync(join(outputDir, name), { recursive: true, force: true });
  }
}

function runNextBuild() {
  const child = spawn(process.execPath, [join(root, "node_modules", "next", "dist", "bin", "next"), "build"], {
    cwd: root,
    env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const end = () => child.kill("SIGTERM");
  process.on("SIGTERM", end).on("SIGINT", end);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      process.off("SIGTERM", end).off("SIGINT", end);
      if (code === 0) resolve();
      else reject(new Error(`next build ended with ${signal ?? `exit code ${code}`}.`));
    });
  });
}

async function takeLock() {
  mkdirSync(join(root, "dist"), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!isHeld()) rmSync(lockFile, { force: true });
    else await delay(200);
  }
}

function isHeld() {
  try {
    const pid = Number(readFileSync(lockFile, "utf8"));
    if (pid > 0) process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** A hash of all that the build reads (tests don't count), and where it is. */
function fingerprint() {
  const hash = createHash("sha256");
  for (const path of sources.flatMap((name) => filesOf(name))) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update("\0");
  }
  return `${hash.digest("hex")} ${root}`;
}

function filesOf(path) {
  const absolute = join(root, path);
  if (!existsSync(absolute)) return [];
  if (!statSync(absolute).isDirectory()) return /\.test\.tsx?$/.test(path) ? [] : [path];
  return readdirSync(absolute)
    .sort()
    .flatMap((name) => filesOf(join(path, name)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // The console reads what is built, and may run as another user.
  process.umask(0o022);
  buildApp().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
