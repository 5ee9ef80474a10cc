import { once } from "node:events";
import { createServer } from "node:http";
import { finished } from "node:stream/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { CumulusError } from "../domain/errors";
import type { Observation } from "../domain/machine";
import { GIB } from "../domain/units";
import { fakeImage, fakeSpec } from "../hypervisor/fakeHost";
import type { Hypervisor } from "../hypervisor/hypervisor";
import { createAgentClient } from "./client";
import { startTestAgent, testHypervisor, testSocketPath } from "./testAgent";

type Asked = Omit<
  Hypervisor,
  | "watch"
  | "recover"
  | "close"
  | "openVnc"
  | "openSerial"
  | "vncSocket"
  | "takeSnapshot"
  | "assertRestorable"
  | "restoreSnapshot"
  | "holdsEndedGuest"
  | "exportDisk"
>;

/** Everything that has one answer, in an order that meets every error. */
const script: ((hypervisor: Asked) => Promise<unknown>)[] = [
  (h) => h.host(),
  (h) => h.listImages(),
  (h) => h.observe(1),
  (h) => h.start(1),
  (h) => h.ensure(fakeSpec(1)),
  (h) => h.ensure(fakeSpec(1)),
  (h) => h.ensure(fakeSpec(1, { disk: { ...fakeSpec(1).disk, sizeBytes: GIB } })),
  (h) => h.ensure(fakeSpec(2, { disk: { imageSha256: "f".repeat(64), sizeBytes: GIB } })),
  (h) => h.removeImage(fakeImage),
  (h) => h.lastScreenshot(1),
  (h) => h.screenshot(1),
  (h) => h.typeText(1, "a", new AbortController().signal),
  (h) => h.pause(1),
  (h) => h.start(1),
  (h) => h.start(1),
  (h) => h.screenshot(1),
  (h) => h.typeText(1, "root\tpass\n", new AbortController().signal),
  (h) => h.typeText(1, "na\u00efve", new AbortController().signal),
  (h) => h.pause(1),
  (h) => h.reboot(1, 7, 30_000),
  (h) => h.resume(1),
  (h) => h.reset(1, 8),
  (h) => h.reset(1, 8),
  (h) => h.reboot(1, 9, 30_000),
  (h) => h.reboot(1, 9, 30_000),
  (h) => h.shutdown(1),
  (h) => h.observeAll(),
  (h) => h.stop(1),
  (h) => h.stop(1),
  (h) => h.lastScreenshot(1),
  (h) => h.remove(1),
  (h) => h.remove(1),
  (h) => h.observeAll(),
  (h) => h.removeImage(fakeImage),
  (h) => h.listImages(),
];

/** What came of each step, without what a clock decides. */
async function play(hypervisor: Asked): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const step of script) results.push(withoutTimes(await step(hypervisor).catch(described)));
  return results;
}

function described(error: unknown): unknown {
  if (!(error instanceof CumulusError)) throw error;
  const { code, message, fields, allowed, retryAfterSeconds } = error;
  return { code, message, fields, allowed, retryAfterSeconds };
}

function withoutTimes(value: unknown): unknown {
  if (value === undefined || Buffer.isBuffer(value)) return value;
  return JSON.parse(JSON.stringify(value), (key, inner) => {
    if (key === "observedAt" || key === "startedAt") return "a time";
    return key === "milestones" ? Object.keys(inner).filter((step) => step === "disk" || step === "started") : inner;
  });
}

const hangs = () => new Promise<never>(() => {});

describe("the agent's client", () => {
  test("answers and refuses over the wire as the hypervisor does", async () => {
    const slow = { stepMs: 60_000 };
    const { createFakeHypervisor } = await import("../hypervisor/fake");
    const direct = createFakeHypervisor(slow);
    const served = createFakeHypervisor(slow);
    onTestFinished(() => Promise.all([direct.close(), served.close()]).then(() => undefined));
    const { client, logged } = await startTestAgent(served);
    expect(await play(client)).toEqual(await play(direct));
    expect(logged).toEqual([]);
  });

  test("calls that hang delay no other VM's", async () => {
    const hypervisor = testHypervisor();
    let hanging = 0;
    const hang = () => {
      hanging += 1;
      return hangs();
    };
    const stuck = { ...hypervisor, stop: (id: number) => (id === 1 ? hang() : hypervisor.stop(id)) };
    const { client, close } = await startTestAgent(stuck);
    await hypervisor.ensure(fakeSpec(2));
    let ended = 0;
    const stopsOfOne = Array.from({ length: 50 }, () => client.stop(1).finally(() => ended++));
    const outcomes = Promise.allSettled(stopsOfOne);
    await expect.poll(() => hanging).toBe(50);
    for (let call = 0; call < 20; call++) await client.stop(2);
    expect(ended).toBe(0);
    await close();
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: "unavailable" } });
  });

  test("a call without an answer ends at its deadline, as unavailable", async () => {
    const deadlines = { timeoutMs: 50, slowTimeoutMs: 70 };
    const { client } = await startTestAgent({ ...testHypervisor(), host: hangs, stop: hangs }, deadlines);
    const late = (what: string) => ({
      code: "unavailable",
      message: expect.stringContaining(what),
      retryAfterSeconds: 2,
    });
    await expect(client.host()).rejects.toMatchObject(late("GET /host took longer than 0.05 s"));
    await expect(client.stop(1)).rejects.toMatchObject(late("POST /machines/1/stop took longer than 0.07 s"));
  });

  test("an answer or an error that comes after the deadline harms nothing", async () => {
    const hypervisor = testHypervisor();
    const late: (() => void)[] = [];
    const wait = () => new Promise<void>((resolve) => late.push(resolve));
    const slow: Hypervisor = {
      ...hypervisor,
      listImages: () => wait().then(() => []),
      host: () => wait().then(() => Promise.reject(new CumulusError("unavailable", "late"))),
    };
    const { client, server } = await startTestAgent(slow, { timeoutMs: 50 });
    const outcomes = await Promise.allSettled([client.listImages(), client.host()]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await expect.poll(() => new Promise((resolve) => server.getConnections((_, count) => resolve(count)))).toBe(0);
    for (const answer of late) answer();
    // Another with so short a deadline might miss it by itself.
    await expect(client.ensure(fakeSpec(1))).resolves.toMatchObject({ id: 1, state: "stopped" });
  });

  test.each([
    ["has no socket", async () => {}, "its socket is not there"],
    [
      "died and left its socket",
      async (socketPath: string) => {
        const { execFileSync } = await import("node:child_process");
        const program = `require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
        expect(() => execFileSync(process.execPath, ["-e", program, socketPath])).toThrow();
      },
      "nothing listens on its socket",
    ],
  ])("an agent that %s is unavailable", async (_name, prepare, why) => {
    const socketPath = testSocketPath();
    await prepare(socketPath);
    const client = createAgentClient({ socketPath });
    const refusal = { code: "unavailable", message: expect.stringContaining(why) };
    await expect(client.host()).rejects.toMatchObject(refusal);
    await expect(client.openSerial(1)).rejects.toMatchObject(refusal);
  });

  test.each([
    ["another shape", 200, '{"state":"swimming"}'],
    ["no JSON", 200, "<html>"],
    ["an error without a code", 502, "Bad Gateway"],
  ])("an answer that is %s is an error that says so", async (_name, status, body) => {
    const socketPath = testSocketPath();
    const server = createServer((_request, response) => response.writeHead(status).end(body)).listen(socketPath);
    onTestFinished(() => void server.close());
    await once(server, "listening");
    await expect(createAgentClient({ socketPath }).observe(1)).rejects.toMatchObject({
      code: "internal",
      message: expect.stringMatching(/same version|another version/),
    });
  });

  test("an error of the hypervisor that is not ours is logged by the agent and told as internal", async () => {
    const broken = { ...testHypervisor(), host: () => Promise.reject(new TypeError("x is not a function")) };
    const { client, logged } = await startTestAgent(broken);
    await expect(client.host()).rejects.toMatchObject({
      code: "internal",
      message: expect.stringContaining("x is not"),
    });
    expect(logged).toEqual([expect.objectContaining({ err: expect.any(TypeError), url: "/host" })]);
  });

  test("aborting the typing stops it on the host", async () => {
    const hypervisor = testHypervisor();
    let aborted = false;
    const slow: Hypervisor = {
      ...hypervisor,
      typeText: (_id, _text, signal) =>
        new Promise((_resolve, reject) => {
          typing();
          signal.addEventListener("abort", () => {
            aborted = true;
            reject(signal.reason);
          });
        }),
    };
    let typing = () => {};
    const isTyping = new Promise<void>((resolve) => {
      typing = resolve;
    });
    const { client, logged } = await startTestAgent(slow);
    const abort = new AbortController();
    const typed = client.typeText(1, "long", abort.signal);
    await isTyping;
    abort.abort(new Error("enough"));
    await expect(typed).rejects.toThrow("enough");
    await expect.poll(() => aborted).toBe(true);
    expect(logged).toEqual([]);
  });

  test("serial shows the log, then what is typed; it stays open over stop and start and ends with the VM", async () => {
    const hypervisor = testHypervisor();
    const { client } = await startTestAgent(hypervisor);
    await client.ensure(fakeSpec(1));
    await client.start(1);
    await expect.poll(async () => (await client.observe(1)).milestones.ssh).toBeDefined();
    const { connection: serial } = await client.openSerial(1);
    let text = "";
    serial.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    await expect.poll(() => text).toMatch(/Linux version[\s\S]*login: $/);
    serial.write("hello");
    await expect.poll(() => text).toMatch(/login: hello$/);
    await client.stop(1);
    await client.start(1);
    await expect.poll(() => text).toMatch(/hello[\s\S]*Linux version/);
    const ended = finished(serial);
    await client.remove(1);
    await ended;
  });

  test("a VNC stream speaks RFB and ends when the VM stops", async () => {
    const { client } = await startTestAgent(testHypervisor());
    await client.ensure(fakeSpec(1));
    await client.start(1);
    const { connection: vnc } = await client.openVnc(1);
    const greeting = await new Promise<Buffer>((resolve) => vnc.once("data", resolve));
    expect(greeting.toString()).toBe("RFB 003.008\n");
    const ended = finished(vnc.resume());
    await client.stop(1);
    await ended;
  });

  test("a stream to a VM that is off is refused as the hypervisor refuses it", async () => {
    const { client } = await startTestAgent(testHypervisor());
    await client.ensure(fakeSpec(1));
    await expect(client.openVnc(1)).rejects.toMatchObject({ code: "wrong_state", allowed: ["running", "paused"] });
    await expect(client.openVnc(2)).rejects.toMatchObject({ code: "not_found" });
  });

  test("closing a stream closes the hypervisor's end", async () => {
    const hypervisor = testHypervisor();
    await hypervisor.ensure(fakeSpec(1));
    const source = await hypervisor.openSerial(1);
    const { client } = await startTestAgent({ ...hypervisor, openSerial: async () => source });
    (await client.openSerial(1)).connection.destroy();
    await expect.poll(() => source.destroyed).toBe(true);
  });

  test("observations keep their shape over the wire", async () => {
    const hypervisor = testHypervisor();
    const { client } = await startTestAgent(hypervisor);
    await client.ensure(fakeSpec(1));
    hypervisor.crash(1);
    const seen: Observation = await client.observe(1);
    expect(seen).toEqual({ ...(await hypervisor.observe(1)), observedAt: seen.observedAt });
    expect(seen).toMatchObject({ state: "crashed", reason: expect.stringContaining("SIGKILL") });
  });
});
