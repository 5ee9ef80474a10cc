import { request } from "node:http";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { MIB } from "../domain/units";
import { fakeSpec } from "../hypervisor/fakeHost";
import type { Hypervisor } from "../hypervisor/hypervisor";
import { byteProtocol, maxBodyBytes } from "./protocol";
import { startTestAgent, testHypervisor } from "./testAgent";

interface Raw {
  method?: string;
  path: string;
  body?: string | Buffer;
}

function ask(socketPath: string, { method = "GET", path, body }: Raw) {
  return new Promise<{ status: number | undefined; json: unknown }>((resolve, reject) => {
    request({ socketPath, method, path, agent: false }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      resolve({ status: response.statusCode, json: text && JSON.parse(text) });
    })
      .on("error", reject)
      .end(body);
  });
}

/** What the agent answers to an upgrade, whole, before it closes the connection. */
function upgradeRaw(socketPath: string, path: string, protocol: string = byteProtocol): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(socketPath).on("error", reject);
    socket.on("data", (data) => {
      text += data.toString();
    });
    socket.on("close", () => resolve(text));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
  });
}

describe("the agent's server", () => {
  test.each([
    ["GET", "/"],
    ["GET", "/nothing"],
    ["GET", "/constructor"],
    ["POST", "/host"],
    ["GET", "/machines/0"],
    ["GET", "/machines/-1"],
    ["GET", "/machines/1e3"],
    ["GET", "/machines/{id}"],
    ["GET", "/machines/1/../2"],
    ["POST", "/machines/1/start/again"],
    ["POST", "/machines/99999999999999999999/start"],
    ["DELETE", "/images/..%2f..%2fetc"],
    ["GET", "//"],
    ["GET", "/machines/1/vnc"],
  ])("%s %s is not found", async (method, path) => {
    const { socketPath } = await startTestAgent(testHypervisor());
    expect(await ask(socketPath, { method, path })).toEqual({
      status: 404,
      json: { code: "not_found", message: `The agent has no ${method} ${path}.` },
    });
  });

  test.each([
    ["PUT", "/machines/1", "{", "The body is not JSON."],
    ["PUT", "/machines/1", JSON.stringify(fakeSpec(2)), "The path says VM 1, the body VM 2."],
    ["PUT", "/machines/1", JSON.stringify({ ...fakeSpec(1), vcpus: "two" }), "vcpus is not usable"],
    ["POST", "/machines/1/reboot", "null", "The body is not usable"],
    ["POST", "/machines/1/reboot", '{"operationId":1,"deadlineMs":-1}', "deadlineMs is not usable"],
    ["POST", "/machines/1/reset", '{"operationId":1,"force":true}', "force"],
    ["POST", "/machines/1/type", '{"text":["a"]}', "text is not usable"],
    ["POST", "/machines/1/type", "", "The body is not JSON."],
  ])("%s %s with the body %s is a bad request", async (method, path, body, message) => {
    const { socketPath, logged } = await startTestAgent(testHypervisor());
    const { status, json } = await ask(socketPath, { method, path, body });
    expect([status, json]).toEqual([
      400,
      expect.objectContaining({ code: "bad_request", message: expect.stringContaining(message) }),
    ]);
    expect(logged).toEqual([]);
  });

  test("names every field that is wrong", async () => {
    const { socketPath } = await startTestAgent(testHypervisor());
    const body = JSON.stringify({ ...fakeSpec(1), vcpus: 0, disk: { imageSha256: "x", sizeBytes: 1 } });
    const { json } = await ask(socketPath, { method: "PUT", path: "/machines/1", body });
    expect(json).toMatchObject({ fields: { vcpus: expect.any(String), "disk.imageSha256": expect.any(String) } });
  });

  test("a body above the cap is refused in words, one at the cap is read, and neither harms the next request", async () => {
    const { socketPath } = await startTestAgent(testHypervisor());
    const type = (body: Buffer) => ask(socketPath, { method: "POST", path: "/machines/1/type", body });
    expect(await type(Buffer.alloc(100 * MIB, " "))).toEqual({
      status: 413,
      json: { code: "too_large", message: "The body is larger than 4 MiB." },
    });
    expect(await type(Buffer.alloc(maxBodyBytes, " "))).toMatchObject({ status: 400 });
    expect(await ask(socketPath, { path: "/host" })).toMatchObject({ status: 200 });
  });

  test.each([
    ["/machines/1/vnc", 409, '"code":"wrong_state"'],
    ["/machines/2/serial", 404, '"code":"not_found"'],
    ["/machines/1/sound", 404, '"code":"not_found"'],
  ])("an upgrade of %s is refused with %d before the 101", async (path, status, text) => {
    const hypervisor = testHypervisor();
    await hypervisor.ensure(fakeSpec(1));
    const { socketPath } = await startTestAgent(hypervisor);
    const answer = await upgradeRaw(socketPath, path);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain("Content-Type: application/json");
    expect(answer).toContain(text);
  });

  test("a viewer that went away while the VM's stream was opened leaves none open", async () => {
    const hypervisor = testHypervisor();
    await hypervisor.ensure(fakeSpec(1));
    const stream = await hypervisor.openSerial(1);
    let open = () => {};
    const opening = new Promise<void>((resolve) => {
      open = resolve;
    });
    let asked = false;
    const slow = async () => {
      asked = true;
      await opening;
      return stream;
    };
    const { socketPath } = await startTestAgent({ ...hypervisor, openSerial: slow });
    const headers = { connection: "Upgrade", upgrade: byteProtocol };
    const viewer = request({ socketPath, path: "/machines/1/serial", agent: false, headers }).on("error", () => {});
    viewer.end();
    await expect.poll(() => asked).toBe(true);
    viewer.destroy();
    open();
    await expect.poll(() => stream.destroyed).toBe(true);
  });

  test("an upgrade to another protocol is refused, and nothing is opened for it", async () => {
    const hypervisor = testHypervisor();
    await hypervisor.ensure(fakeSpec(1));
    let opened = 0;
    const openSerial = (id: number) => {
      opened += 1;
      return hypervisor.openSerial(id);
    };
    const { socketPath } = await startTestAgent({ ...hypervisor, openSerial });
    const answer = await upgradeRaw(socketPath, "/machines/1/serial", "websocket");
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain("cumulus-bytes");
    expect(opened).toBe(0);
  });

  test("requests wait until the hypervisor has taken up what runs", async () => {
    let setReady = () => {};
    const ready = new Promise<void>((resolve) => {
      setReady = resolve;
    });
    const order: string[] = [];
    const { client } = await startTestAgent(testHypervisor(), { ready });
    const answered = client.observeAll().then(() => order.push("answered"));
    const refused = client.openVnc(1).catch(() => order.push("refused"));
    setTimeout(() => {
      order.push("ready");
      setReady();
    }, 50);
    await Promise.all([answered, refused]);
    expect(order[0]).toBe("ready");
  });

  test("a request that was given up while the hypervisor took up what runs is not carried out", async () => {
    let setReady = () => {};
    const ready = new Promise<void>((resolve) => {
      setReady = resolve;
    });
    const asked: string[] = [];
    const hypervisor = testHypervisor();
    const recording: Hypervisor = {
      ...hypervisor,
      watch(listener) {
        asked.push("watch");
        return hypervisor.watch(listener);
      },
      stop(id) {
        asked.push("stop");
        return hypervisor.stop(id);
      },
    };
    const { socketPath, client, server } = await startTestAgent(recording, { ready });
    const sent = ["GET /watch", "POST /machines/1/stop"].map((line) => {
      const [method, path] = line.split(" ");
      return request({ socketPath, method, path, agent: false })
        .on("error", () => {})
        .end();
    });
    const connectionCount = () => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    await expect.poll(connectionCount).toBe(2);
    for (const one of sent) one.destroy();
    await expect.poll(connectionCount).toBe(0);
    setReady();
    await client.observeAll();
    expect(asked).toEqual([]);
  });

  test("closing ends open watches and consoles", async () => {
    const hypervisor = testHypervisor();
    await hypervisor.ensure(fakeSpec(1));
    const { client, close } = await startTestAgent(hypervisor);
    const states: string[] = [];
    onTestFinished(
      client.watch(
        () => {},
        (state) => states.push(state),
      ),
    );
    const serial = (await client.openSerial(1)).connection.resume();
    await expect.poll(() => states).toEqual(["connected"]);
    await close();
    await expect.poll(() => serial.destroyed).toBe(true);
    await expect.poll(() => states).toEqual(["connected", "disconnected"]);
  });
});
