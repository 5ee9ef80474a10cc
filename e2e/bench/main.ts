import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { isMainThread, workerData } from "node:worker_threads";
import { messageOf } from "../../lib/domain/errors";
import { type Benchmark, type Figure, isMet, type Skipped } from "./benchmark";
import { buildWhatIsMeasured } from "./build";
import { consoleLatency } from "./consoleLatency";
import { consoleMemory } from "./consoleMemory";
import { consoleThroughput } from "./consoleThroughput";
import { createToSsh } from "./createToSsh";
import { createToStart } from "./createToStart";
import { debianBoot } from "./debianBoot";
import { serveFile } from "./fileServer";
import { firewallChange } from "./firewallChange";
import { firstLoad } from "./firstLoad";
import { idle } from "./idle";
import { imageDownload } from "./imageDownload";
import { listVms } from "./listVms";
import { networkChange } from "./networkChange";
import { networkPath } from "./networkPath";
import { parallelCreates } from "./parallelCreates";
import { postVms } from "./postVms";
import { jsonOf, tableOf } from "./report";
import { snapshotChain } from "./snapshotChain";
import { snapshotPause } from "./snapshotPause";
import { serveVncPeer } from "./vncPeerWorker";
import { stopPresentStack } from "./withStack";

const benchmarks: readonly Benchmark[] = [
  createToStart,
  createToSsh,
  debianBoot,
  postVms,
  parallelCreates,
  listVms,
  consoleThroughput,
  consoleLatency,
  consoleMemory,
  idle,
  firstLoad,
  imageDownload,
  networkPath,
  networkChange,
  firewallChange,
  snapshotPause,
  snapshotChain,
];

const usage = `npm run bench [-- NAME… --json --strict]

${benchmarks.map(({ name, what }) => `  ${name.padEnd(20)} ${what}`).join("\n")}

  --json     the figures for programs
  --strict   exit code 1 when a target is missed
`;

let hasFailed = false;

/** `npm run bench`: measures all that is named, or everything, and prints one table. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean" }, strict: { type: "boolean" }, help: { type: "boolean" } },
  });
  if (values.help) return console.log(usage);
  const unknown = positionals.filter((wanted) => !benchmarks.some(({ name }) => name === wanted));
  if (unknown.length > 0) throw new Error(`There is no benchmark ${unknown.join(", ")}.\n\n${usage}`);
  const chosen = benchmarks.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

  if (process.platform !== "linux") throw new Error("The benchmarks read /proc: run them on Linux.");
  await buildWhatIsMeasured();
  const results: (Figure | Skipped)[] = [];
  for (const benchmark of chosen) results.push(...(await run(benchmark)));
  if (values.json) console.log(JSON.stringify({ machine: machine(), figures: jsonOf(results) }, null, 2));
  else console.log(`\n${tableOf(results)}\n\n${machine()}. Medians; in brackets the middle half of what was measured.`);
  const isMissed = results.some((result) => "value" in result && isMet(result) === false);
  process.exitCode = hasFailed || (values.strict && isMissed) ? 1 : 0;
}

/** After one that fails the others are still measured. */
async function run({ name, measure }: Benchmark): Promise<(Figure | Skipped)[]> {
  try {
    return await measure((text) => process.stderr.write(`${name}: ${text}\n`));
  } catch (error) {
    hasFailed = true;
    return [{ name, skipped: `It failed: ${messageOf(error)}` }];
  }
}

function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model ?? "unknown processor"}, Node.js ${process.versions.node}`;
}

async function endEarly(): Promise<void> {
  await stopPresentStack();
  process.exit(130);
}

if (isMainThread) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void endEarly());
  main().catch((error: unknown) => {
    console.error(messageOf(error));
    process.exitCode = 1;
  });
} else if (workerData.kind === "file") {
  serveFile();
} else {
  serveVncPeer();
}
