// `npm test [-- unit|integration|e2e [FILTER…]]`: installs what is missing, then runs the checks and all tests. At its end it names what failed; its
// last line counts.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, bundleOf, entries } from "./bundle.mjs";
import { ensureNodeModules } from "./nodeModules.mjs";
import { root } from "./root.mjs";
import { outcomeOfPlaywright, outcomeOfVitest } from "./testReports.mjs";

const kinds = ["unit", "integration", "e2e"];
const [kind, ...filters] = process.argv.slice(2);
if (kind !== undefined && !kinds.includes(kind)) {
  console.error(`npm test -- ${kind}: choose ${kinds.join(", ")}, or none for all of them.`);
  process.exit(1);
}
const chosen = kind === undefined ? kinds : [kind];

process.chdir(root);
process.umask(0o022);
ensureNodeModules();
await bundle(Object.keys(entries).filter((name) => existsSync(join(root, entries[name]))));

const reports = mkdtempSync(join(tmpdir(), "cumulus-reports-"));
let passed = 0;
/** What failed, in words. */
const failures = [];
/** What runs now; it is told when we are told to end, so that it takes along what it has started. */
let present = null;
let isEnding = false;
for (const signal of ["SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    isEnding = true;
    // Vitest ends without a word to the processes in which its tests run.
    if (present) for (const pid of [...childrenOf(present.pid), present.pid]) process.kill(pid, signal);
  });
}
try {
  await runAll();
} finally {
  rmSync(reports, { recursive: true, force: true });
}
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 && !isEnding ? 0 : 1;

async function runAll() {
  if (kind === undefined) await run([join(root, "scripts", "check.mjs")]);
  if (kind !== "unit") {
    // Before the tests, so that none of them waits for it.
    const isReady =
      (await run([bundleOf("install-for-tests")])) && (await run([join(root, "scripts", "setup", "appBuild.mjs")]));
    if (!isReady) return;
  }
  for (const name of chosen) await (name === "e2e" ? runPlaywright() : runVitest(name));
}

async function runVitest(project) {
  const report = join(reports, `${project}.json`);
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const outcome = () => outcomeOfVitest(JSON.parse(readFileSync(report, "utf8")));
  await run([vitest, "run", "--project", project, ...reporters, ...filters], outcome);
}

async function runPlaywright() {
  const report = join(reports, "e2e.json");
  const playwright = join(root, "node_modules", "@playwright", "test", "cli.js");
  // Where there is no package of Chromium's (Ubuntu's is a snap), Playwright brings its own.
  if (!existsSync("/usr/bin/chromium") && !(await run([playwright, "install", "chromium"]))) return;
  const outcome = () => outcomeOfPlaywright(JSON.parse(readFileSync(report, "utf8")));
  await run([playwright, "test", "--reporter=list,json", ...filters], outcome, {
    PLAYWRIGHT_JSON_OUTPUT_FILE: report,
  });
}

/** Runs a program of Node.js and adds what its report says. One that fails counts as a failure, also when no test says so. */
async function run(argv, outcome = () => ({ passed: 0, failures: [] }), env = {}) {
  if (isEnding) return false;
  const isOk = await succeeds(argv, env);
  const told = outcomeOrNone(argv, outcome);
  passed += told.passed;
  failures.push(...told.failures);
  if (!isOk && told.failures.length === 0) failures.push(`${argv.slice(0, 4).join(" ")}, though no test says so`);
  return isOk;
}

function outcomeOrNone(argv, outcome) {
  try {
    return outcome();
  } catch (error) {
    return { passed: 0, failures: [`${argv[0]} left no report: ${error.message}`] };
  }
}

/** Pids of what a process has started, where the system tells (proc(5)). */
function childrenOf(pid) {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, "utf8").split(" ").filter(Boolean).map(Number) : [];
}

function succeeds(argv, env) {
  const child = spawn(process.execPath, argv, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  present = child;
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      present = null;
      resolve(code === 0);
    });
  });
}
