import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { pathsOf } from "../../env";
import { machinePaths } from "../machinePaths";
import { machineTypesOf } from "../qemu/machineTypes";
import { SnapshotBed } from "../testing/snapshotBed";
import { TestHost, untilSeen } from "../testing/testHost";

const report = { progress: () => {}, log: () => {} };
const { signal } = new AbortController();

let host: TestHost;
let bed: SnapshotBed;
let lastOperation = 100;

beforeEach(async () => {
  host = await TestHost.make();
  bed = new SnapshotBed(host, await host.agent());
  await bed.agent.ensure(await host.spec(1));
});
afterEach(() => host.close());

function restore() {
  lastOperation += 1;
  return bed.agent.restoreSnapshot(1, { snapshotId: 4, operationId: lastOperation }, report, signal);
}

/** The newest version of a PC that the QEMU of this host can be, and the one before. */
async function versions(): Promise<[string, string]> {
  const { newest, all } = await machineTypesOf("x86_64");
  const older = all.filter((name) => name.startsWith("pc-q35-"))[1];
  if (older === undefined || older === newest) throw new Error("This QEMU has one version of a PC alone.");
  return [newest, older];
}

/** Has the host have the QEMU of the version before. @returns the way to upgrade it */
async function downgrade(): Promise<() => void> {
  const [newest, older] = await versions();
  const { stdout } = await execa("which", ["qemu-system-x86_64"]);
  const folder = mkdtempSync(join(tmpdir(), "older-qemu-"));
  // The alias is its own newest; of the one that came later it knows nothing.
  const script = `#!/bin/sh
if [ "$*" = "-machine help" ]; then ${stdout} "$@" | sed '/^${newest} /d; s/(alias of ${newest})/(alias of ${older})/'; exit; fi
for argument; do
  shift
  case $argument in q35,*) argument="${older},\${argument#q35,}" ;; ${newest},*) exit 1 ;; esac
  set -- "$@" "$argument"
done
exec ${stdout} "$@"
`;
  const program = join(folder, "qemu-system-x86_64");
  writeFileSync(program, script);
  // Of VMs' own users too.
  for (const path of [folder, program]) chmodSync(path, 0o755);
  const { PATH } = process.env;
  const upgrade = () => {
    process.env.PATH = PATH;
  };
  onTestFinished(() => {
    upgrade();
    rmSync(folder, { recursive: true });
  });
  process.env.PATH = `${folder}:${PATH}`;
  return upgrade;
}

/** Of the VM's QEMU, as it was started. */
async function machineOfVm(): Promise<string | undefined> {
  const { pid } = await bed.agent.observe(1);
  const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  return args[args.indexOf("-machine") + 1]?.split(",")[0];
}

test("a memory goes on in the machine that it was kept of when QEMU was upgraded since, and the VM's next start is of the newest", async () => {
  const [newest, older] = await versions();
  const upgrade = await downgrade();
  await bed.start();
  expect(await machineOfVm()).toBe(older);
  await bed.take(4, true);
  upgrade();
  await restore();
  expect(await machineOfVm()).toBe(older);
  await bed.untilEchoes(1);
  // Of a machine of the older version in the newer QEMU.
  await bed.agent.removeSnapshot(4);
  await bed.take(4, true);
  await restore();
  expect(await machineOfVm()).toBe(older);
  await bed.untilEchoes(1);
  await bed.agent.stop(1);
  await bed.agent.start(1);
  expect(await machineOfVm()).toBe(newest);
});

test("a memory of a machine that QEMU doesn't have is refused before the guest is ended", async () => {
  await bed.start();
  await bed.take(4, true);
  const { pid } = await bed.agent.observe(1);
  await downgrade();
  await expect(restore()).rejects.toMatchObject({ code: "wrong_state", message: expect.stringContaining("-machine") });
  await untilSeen(bed.agent, 1, (seen) => seen.state === "running" && seen.pid === pid);
  await bed.untilEchoes(1);
});

test("a VM and a snapshot whose hardware was noted without a version are taken up, and go on, as they did", async () => {
  await bed.start();
  await bed.agent.close();
  dropVersion(machinePaths(host.settings, 1).state);
  bed.agent = await host.agent();
  await bed.take(4, true);
  const { snapshots } = pathsOf(host.settings);
  expect(readFileSync(join(snapshots, "4", "snapshot.json"), "utf8")).not.toContain("machineType");
  await restore();
  await bed.untilEchoes(1);
});

/** As a file was written before machines had one. */
function dropVersion(file: string): void {
  const text = readFileSync(file, "utf8");
  expect(text).toContain("machineType");
  writeFileSync(file, text.replace(/"machineType":\s*"[^"]*",?/, ""));
}
