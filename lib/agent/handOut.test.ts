import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { fakeSpec } from "../hypervisor/fakeHost";
import type { ByteStream } from "../system/byteStream";
import { handOut, sweepHandedOut } from "./handOut";
import { startTestAgent, testHypervisor } from "./testAgent";

function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "hand-out-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What stands for QEMU's VNC server: a socket that only its owner opens. */
async function vncServer() {
  const socket = join(testFolder(), "vnc.sock");
  const viewers: Socket[] = [];
  const server = createServer((viewer) => {
    viewers.push(viewer.on("error", () => {}));
    viewer.write("RFB 003.008\n");
    viewer.pipe(viewer);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  chmodSync(socket, 0o600);
  onTestFinished(() => {
    for (const viewer of viewers) viewer.destroy();
    server.close();
  });
  return { socket, viewers };
}

async function startAgent(socket: string) {
  const hypervisor = testHypervisor();
  await hypervisor.ensure(fakeSpec(1));
  let relayed = 0;
  const openVnc = () => {
    relayed += 1;
    return hypervisor.openVnc(1);
  };
  const folder = testFolder();
  const { client } = await startTestAgent(
    { ...hypervisor, openVnc, vncSocket: async () => socket },
    { handOutDir: folder },
  );
  return { client, hypervisor, folder, relayedCount: () => relayed };
}

function textOf({ read }: ByteStream): () => string {
  let text = "";
  read((bytes) => {
    text += bytes.toString();
    return true;
  });
  return () => text;
}

describe("a VM's own socket", () => {
  test("is what the console connects to, and its further name is gone then", async () => {
    const { socket, viewers } = await vncServer();
    const { client, folder, relayedCount } = await startAgent(socket);
    const streams = [await client.openVnc(1), await client.openVnc(1)];
    for (const stream of streams) {
      const text = textOf(stream);
      stream.connection.write("typed");
      await expect.poll(text).toBe("RFB 003.008\ntyped");
    }
    await expect.poll(() => readdirSync(folder)).toEqual([]);
    expect([relayedCount(), viewers.length]).toEqual([0, 2]);
    for (const { connection } of streams) connection.destroy();
    await expect.poll(() => viewers.every((viewer) => viewer.destroyed)).toBe(true);
    expect(existsSync(socket)).toBe(true);
  });

  test("is relayed when it can't be given another name", async () => {
    const { client, hypervisor, folder, relayedCount } = await startAgent(join(testFolder(), "missing.sock"));
    await hypervisor.start(1);
    const stream = await client.openVnc(1);
    onTestFinished(() => void stream.connection.destroy());
    await expect.poll(textOf(stream)).toBe("RFB 003.008\n");
    expect([relayedCount(), readdirSync(folder)]).toEqual([1, []]);
  });

  test("that nobody listens on any more is unavailable, and its further name is gone", async () => {
    const dead = join(testFolder(), "dead.sock");
    const program = `require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
    expect(() => execFileSync(process.execPath, ["-e", program, dead])).toThrow();
    const { client, folder } = await startAgent(dead);
    await expect(client.openVnc(1)).rejects.toMatchObject({ code: "unavailable" });
    await expect.poll(() => readdirSync(folder)).toEqual([]);
  });
});

test("opens to the folder's group and to nobody else", async () => {
  const { socket } = await vncServer();
  const folder = testFolder();
  const name = (await handOut(socket, folder)) ?? "";
  const { mode, gid, ino } = statSync(name);
  expect({ mode: mode & 0o777, gid, ino }).toEqual({
    mode: 0o660,
    gid: statSync(folder).gid,
    ino: statSync(socket).ino,
  });
});

test("hands out sockets only", async () => {
  const folder = testFolder();
  const file = join(testFolder(), "disk.qcow2");
  writeFileSync(file, "", { mode: 0o600 });
  expect(await handOut(file, folder)).toBeNull();
  expect(readdirSync(folder)).toEqual([]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("what a crashed agent handed out is swept, and nothing else", async () => {
  const { socket } = await vncServer();
  const folder = testFolder();
  writeFileSync(join(folder, "agent.sock"), "");
  await handOut(socket, folder);
  await sweepHandedOut(folder);
  expect(readdirSync(folder)).toEqual(["agent.sock"]);
  expect(existsSync(socket)).toBe(true);
});
