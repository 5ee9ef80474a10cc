// `npm run check`: types, and lint and format, at the same time.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ensureNodeModules } from "./nodeModules.mjs";
import { root } from "./root.mjs";

ensureNodeModules();
const checks = [
  ["types", "tsc", ["--noEmit", "-p", "."]],
  ["lint and format", "biome", ["check", "."]],
];
const results = await Promise.all(checks.map(([name, command, args]) => run(name, command, args)));
for (const { name, seconds, output, isOk } of results) {
  if (!isOk) process.stdout.write(output);
  console.log(`  ${isOk ? "ok" : "--"}  ${name.padEnd(18)} ${seconds.padStart(6)} s${isOk ? "" : "  failed"}`);
}
process.exitCode = results.every(({ isOk }) => isOk) ? 0 : 1;

function run(name, command, args) {
  const startedAt = performance.now();
  const child = spawn(join(root, "node_modules", ".bin", command), args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      resolve({ name, seconds, output, isOk: code === 0 });
    });
  });
}
