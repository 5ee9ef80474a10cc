import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { until } from "../hypervisor/testing/until";
import { projectDir } from "../paths";

const isRoot = process.getuid?.() === 0;

/** Pids of those who sleep for so long. */
function sleepers(seconds: string): string[] {
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && textOf(pid, "cmdline") === `sleep\0${seconds}\0`);
}

function textOf(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

/** A number that nobody else gives to sleep(1). */
const longTime = () => `${100_000 + Math.floor(Math.random() * 1e9)}`;

test.each([
  ["who runs the tests", []],
  ...(isRoot ? [["a user", ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]] as const] : []),
] as const)(
  "a process of %s that is killed takes along what it has started, and what that has started and mounted",
  async (who, as) => {
    const folder = mkdtempSync(join(tmpdir(), "mortal-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const times = [longTime(), longTime(), longTime()] as const;
    const script = join(projectDir, "lib", "system", "testing", "mortalParent.ts");
    const [program = "", ...args] = [...as, process.execPath, "--import", "tsx", script, ...times, folder];
    const parent = execa(program, args, { cwd: projectDir, reject: false });
    try {
      await until(() => times.every((seconds) => sleepers(seconds).length === 1), 60_000);
      const mounts = textOf(sleepers(times[1])[0] ?? "", "mountinfo");
      if (who !== "a user" && isRoot) expect(mounts).toContain(` ${folder} `);
    } finally {
      parent.kill("SIGKILL");
      await parent;
    }
    await until(() => times.every((seconds) => sleepers(seconds).length === 0));
    expect(textOf("self", "mountinfo")).not.toContain(` ${folder} `);
  },
);
