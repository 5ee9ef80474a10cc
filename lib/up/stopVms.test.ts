import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { endVmsByForce } from "./stopVms";

/** A process with a QEMU's command line, which doesn't end by itself. */
async function pretendVm(runDir: string): Promise<ChildProcess> {
  const script = 'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)';
  const child = spawn(process.execPath, ["-e", script, "qemu-system-x86_64", `${runDir}/vms/1/qmp`], { stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

test("VMs that are left are ended by force, and none of another installation's", async () => {
  const [runDir, otherDir] = [`/nowhere/${process.pid}`, `/elsewhere/${process.pid}`];
  expect(await endVmsByForce({ runDir })).toBe(false);
  const [vm, other] = [await pretendVm(runDir), await pretendVm(otherDir)];
  const ended = once(vm, "exit");
  expect(await endVmsByForce({ runDir })).toBe(1);
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect(other.exitCode).toBeNull();
});
