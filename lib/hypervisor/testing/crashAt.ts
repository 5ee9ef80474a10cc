import { readdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import { projectDir } from "../../paths";
import type { CrashingSnapshotAgent } from "./crashingSnapshotAgent";

/** Has an agent in a process of its own carry out an act, and die by SIGKILL where it is told to. No other agent may be there meanwhile. */
export async function crashAt(ask: CrashingSnapshotAgent): Promise<void> {
  const { dataDir } = ask.settings;
  const script = join(projectDir, "lib", "hypervisor", "testing", "crashingSnapshotAgent.ts");
  const { signal, stderr } = await execa(process.execPath, ["--import", "tsx", script, JSON.stringify(ask)], {
    cwd: projectDir,
    env: { CUMULUS_FAILPOINT_FILE: join(dataDir, "failpoint") },
    reject: false,
    timeout: 60_000,
  });
  expect(signal, stderr).toBe("SIGKILL");
  expect(readdirSync(dataDir)).not.toContain("failpoint");
}
