import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { until } from "../testing/until";
import { findQemus } from "./findQemus";

const isRoot = process.getuid?.() === 0;

/** A run folder for each test, with a folder of sockets for a VM. */
function makeRunDir(): string {
  const runDir = mkdtempSync("/tmp/cumulus,run-");
  onTestFinished(() => rmSync(runDir, { recursive: true, force: true }));
  mkdirSync(join(runDir, "vms", "1"), { recursive: true });
  return runDir;
}

/** A real QEMU without a guest that has its monitor there, started by way of another program; resolves when it listens. */
async function startQemu(runDir: string, wrapper: string[] = []): Promise<ChildProcess> {
  const socket = join(runDir, "vms", "1", "qmp.sock");
  const [program = "", ...args] = [
    ...[...wrapper, "qemu-system-x86_64", "-nodefaults", "-machine", "none", "-display", "none"],
    ...["-chardev", `socket,id=qmp,path=${socket.replaceAll(",", ",,")},server=on,wait=off`],
    ...["-mon", "chardev=qmp,mode=control"],
  ];
  const child = spawn(program, args, { stdio: "ignore" });
  onTestFinished(async () => {
    const ended = once(child, "exit");
    if (child.kill("SIGKILL")) await ended;
  });
  await until(() => answers(socket));
  return child;
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket, () => resolve(true)).on("error", () => resolve(false));
    connection.on("data", () => connection.destroy());
  });
}

test("a QEMU is found by where its monitor is, without any record of it", async () => {
  const [runDir, otherDir] = [makeRunDir(), makeRunDir()];
  const qemu = await startQemu(runDir);
  await startQemu(otherDir);
  expect(await findQemus({ runDir })).toEqual([{ pid: qemu.pid, startTime: expect.stringMatching(/^\d+$/) }]);
});

/** A root folder of its own, with what QEMU needs of ours in it. */
const ownRoot = `mount -t tmpfs none /mnt && cd /mnt
for name in bin dev etc lib lib64 tmp usr; do [ -e /$name ] && mkdir $name && mount --rbind /$name $name; done
exec chroot /mnt "$@"`;

test.runIf(isRoot).each([
  ["process numbers", ["unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]],
  ["a root folder", ["unshare", "--mount", "sh", "-ec", ownRoot, "sh"]],
])("one with %s of its own is another container's, though its paths are the same", async (_what, wrapper) => {
  const runDir = makeRunDir();
  const container = await startQemu(runDir, wrapper);
  expect(await findQemus({ runDir })).toEqual([]);
  const connection = connect(join(runDir, "vms", "1", "qmp.sock"));
  await once(connection, "data");
  connection.destroy();
  expect([container.exitCode, container.signalCode]).toEqual([null, null]);
});
