import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fakeSpec } from "../hypervisor/fakeHost";
import { type AgentClient, createAgentClient } from "./client";

interface Place {
  env: NodeJS.ProcessEnv;
  socketPath: string;
  client: AgentClient;
}

function makePlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), "agent-main-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const socketPath = join(folder, "run", "agent", "agent.sock");
  const env = {
    ...process.env,
    CUMULUS_DATA_DIR: join(folder, "data"),
    CUMULUS_RUN_DIR: join(folder, "run"),
    CUMULUS_HYPERVISOR: "fake",
    CUMULUS_NETWORK: "user",
  };
  return { env, socketPath, client: createAgentClient({ socketPath }) };
}

function run(env: NodeJS.ProcessEnv): { child: ChildProcess; stderr: () => string } {
  const child = spawn(process.execPath, ["--import", "tsx", "lib/agent/main.ts"], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  let stderr = "";
  child.stderr?.on("data", (data: Buffer) => {
    stderr += data.toString();
  });
  return { child, stderr: () => stderr };
}

async function start(place: Place): Promise<ChildProcess> {
  const { child, stderr } = run(place.env);
  await expect
    .poll(() =>
      place.client.host().then(
        () => "answers",
        () => stderr(),
      ),
    )
    .toBe("answers");
  return child;
}

const exitOf = async (child: ChildProcess) => (await once(child, "exit"))[0];
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test("an agent that is told to stop ends its streams and exits with 0; the next one has its VMs", async () => {
  const place = makePlace();
  const child = await start(place);
  await place.client.ensure(fakeSpec(1));
  const { pid, bootCount } = await place.client.start(1);
  const serial = (await place.client.openSerial(1)).connection.resume();
  const states: string[] = [];
  onTestFinished(
    place.client.watch(
      () => {},
      (state) => states.push(state),
    ),
  );
  await expect.poll(() => states).toEqual(["connected"]);
  child.kill("SIGTERM");
  expect(await exitOf(child)).toBe(0);
  expect(existsSync(place.socketPath)).toBe(false);
  await expect.poll(() => serial.destroyed).toBe(true);
  await expect.poll(() => states).toEqual(["connected", "disconnected"]);

  await start(place);
  expect(await place.client.observe(1)).toMatchObject({ state: "running", pid, bootCount });
  await expect.poll(() => states.at(-1)).toBe("connected");
});

test("the socket of an agent that was killed is taken over, that of a living one is not", async () => {
  const place = makePlace();
  const first = await start(place);
  first.kill("SIGKILL");
  await once(first, "exit");
  expect(existsSync(place.socketPath)).toBe(true);
  const second = await start(place);

  for (const signal of ["SIGCONT", "SIGSTOP"] as const) {
    second.kill(signal);
    const { child: third, stderr } = run(place.env);
    expect(await exitOf(third)).toBe(1);
    expect(stderr()).toContain("Another agent already runs on this data folder");
    expect(stderr().trim().split("\n")).toHaveLength(1);
  }
  second.kill("SIGCONT");
  await expect(place.client.host()).resolves.toMatchObject({ arch: "x86_64" });
});

test("only its user, and the console's group, may reach the socket", async () => {
  const place = makePlace();
  await start(place);
  const folder = join(place.socketPath, "..");
  const { uid, gid, mode } = statSync(place.socketPath);
  const isShared = (mode & 0o070) !== 0;
  expect([modeOf(place.socketPath), modeOf(folder)]).toEqual(isShared ? ["660", "750"] : ["600", "700"]);
  expect(statSync(folder)).toMatchObject({ uid, gid });
  expect(uid).toBe(process.getuid?.());
  expect(modeOf(join(place.env.CUMULUS_DATA_DIR ?? "", "logs"))).toBe("700");
});

test("a variable that is not usable, or a data folder that is a file, ends it with one sentence", async () => {
  const place = makePlace();
  const file = join(place.socketPath, "..", "..", "..", "file");
  writeFileSync(file, "");
  for (const change of [{ CUMULUS_ACCEL: "steam" }, { CUMULUS_DATA_DIR: file }]) {
    const { child, stderr } = run({ ...place.env, ...change });
    expect(await exitOf(child)).toBe(1);
    expect(stderr().trim().split("\n")).toHaveLength(1);
    expect(stderr()).toContain(change.CUMULUS_ACCEL ? "CUMULUS_ACCEL" : file);
  }
});
