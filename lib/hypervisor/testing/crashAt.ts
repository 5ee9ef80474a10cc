import { readdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import { projectDir } from "../../paths";
import type { CrashingSnapshotAgent } from "./crashingSnapshotAgent";

/** For a command to run with the host's settings read-only, as in a container. */
const withSettingsReadOnly = [
  ...["unshare", "--mount", "--propagation", "private", "sh", "-c"],
  'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$@"',
  "sh",
];

/**
 * Has an agent in a process of its own carry out an act, and die by SIGKILL where it is told to. No other agent may be there meanwhile.
 * @returns what it said of the act
 */
export async function crashAt(ask: CrashingSnapshotAgent, { mayChangeSettings = true } = {}): Promise<string> {
  const { dataDir } = ask.settings;
  const script = join(projectDir, "lib", "hypervisor", "testing", "crashingSnapshotAgent.ts");
  const wrapper = mayChangeSettings ? [] : withSettingsReadOnly;
  const [program = "", ...args] = [...wrapper, process.execPath, "--import", "tsx", script, JSON.stringify(ask)];
  const { signal, stderr, stdout } = await execa(program, args, {
    cwd: projectDir,
    env: { CUMULUS_FAILPOINT_FILE: join(dataDir, "failpoint") },
    reject: false,
    timeout: 60_000,
  });
  expect(signal, stderr).toBe("SIGKILL");
  expect(readdirSync(dataDir)).not.toContain("failpoint");
  return stdout;
}
