import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { endVmsByForce } from "./stopVms";

/** A process that ends by force alone, and until then answers whatever it is told. */
async function pretendVm(args: string[], argv0?: string) {
  const script =
    'process.on("SIGTERM", () => {}); process.stdin.on("data", () => console.log("here")); console.log("up")';
  const child = spawn(process.execPath, ["-e", script, "--", ...args], { stdio: ["pipe", "pipe", "inherit"], argv0 });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin.on("error", () => undefined);
  const ended = once(child, "exit");
  await once(child.stdout, "data");
  const answers = async () => {
    child.stdin.write("?");
    await once(child.stdout, "data");
    return true;
  };
  return { ended, isThere: () => Promise.race([answers(), ended.then(() => false)]) };
}

/** As QEMU is told where its monitor is. */
const monitorIn = (path: string) => ["-chardev", `socket,id=qmp,path=${path}/qmp.sock,server=on,wait=off`];

test("VMs that are left are ended by force, and nothing else, whatever it has on its command line", async () => {
  const runDir = `/nowhere/${process.pid},here`;
  const escaped = runDir.replace(",", ",,");
  expect(await endVmsByForce({ runDir })).toBe(0);
  const qemu = "/usr/bin/qemu-system-x86_64";
  const vm = await pretendVm(monitorIn(`${escaped}/vms/1`), qemu);
  const others = await Promise.all([
    pretendVm(monitorIn(`/elsewhere${escaped}/vms/1`), qemu),
    pretendVm(monitorIn(`${escaped}/vms/1/vms/1`), qemu),
    pretendVm(["-name", `${runDir}/vms/1`], qemu),
    pretendVm([qemu, ...monitorIn(`${escaped}/vms/1`)]),
    pretendVm(["-f", `${qemu} ${runDir}/vms/1`]),
  ]);
  expect(await endVmsByForce({ runDir })).toBe(1);
  expect(await vm.ended).toEqual([null, "SIGKILL"]);
  expect(await Promise.all(others.map((other) => other.isThere()))).toEqual(others.map(() => true));
});
