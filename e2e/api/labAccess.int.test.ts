import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stack, startStack, until } from "../stack";

let stack: Stack;
beforeAll(async () => {
  // On bridges: in user mode guests reach the loopback, so that everybody needs a token.
  stack = await startStack({ hypervisor: "fake", network: "bridge", env: { CUMULUS_LAB: "1" } });
  await until(
    "there is an image",
    async () => (await stack.api<{ items: [] }>("GET", "/api/images")).body.items.length > 0,
  );
});
afterAll(() => stack?.stop());

const machine = { name: "my_vm", image: "mini", network: "default", mem_size: "2G", disk_size: "10G" };
const noSuchVm = { id: 999 };
const requests: [path: string, body?: object][] = [
  ["/vm_list"],
  ["/vm_create", machine],
  ["/vm_info", noSuchVm],
  ["/vm_start", noSuchVm],
  ["/vm_stop", noSuchVm],
  ["/vm_delete", noSuchVm],
];

/** A request over the loopback; `fetch` would not send another Host. */
function lab(path: string, body?: object, headers: Record<string, string> = {}) {
  return new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const type = { "content-type": "application/json" };
    const options = { method: body ? "POST" : "GET", headers: { ...type, ...headers } };
    httpRequest(stack.url + path, options, async (response) => {
      const chunks = await response.toArray();
      resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() });
    })
      .on("error", reject)
      .end(body && JSON.stringify(body));
  });
}

const bearer = () => ({ authorization: `Bearer ${stack.token}` });
const hostOf = (name: string) => ({ host: `${name}:${stack.settings.port}` });

async function startOn(host: string): Promise<void> {
  await stack.kill("console");
  await stack.startConsole({ HOST: host });
}

async function expectVms(count: number): Promise<void> {
  expect((await stack.api<{ items: [] }>("GET", "/api/vms")).body.items).toHaveLength(count);
}

async function expectRefusals(status: number, why: string, headers: Record<string, string> = {}): Promise<void> {
  for (const [path, body] of requests) {
    const answer = await lab(path, body, headers);
    expect.soft(answer.status, path).toBe(status);
    expect.soft(JSON.parse(answer.text), path).toMatchObject({ status: "error", error_msg: why });
  }
  await expectVms(0);
}

/** Makes a VM and deletes it, with each of the lab's requests. */
async function expectService(headers: Record<string, string>): Promise<void> {
  const ok = { status: 200, text: '{"status":"ok"}' };
  const created = await lab("/vm_create", machine, headers);
  const { id, status } = JSON.parse(created.text);
  expect([created.status, status]).toEqual([200, "ok"]);
  expect(await lab("/vm_list", undefined, headers)).toEqual({ status: 200, text: `[{"id":${id},"name":"my_vm"}]` });
  expect(JSON.parse((await lab("/vm_info", { id }, headers)).text)).toMatchObject({ id, state: "RUNNING" });
  for (const path of ["/vm_stop", "/vm_start", "/vm_delete"]) expect(await lab(path, { id }, headers)).toEqual(ok);
  await expectVms(0);
}

test("lab mode on loopback needs no token for any of its requests, by each name of the loopback", async () => {
  await until("the host is known to have bridges", async () => (await lab("/vm_list")).status === 200);
  for (const name of ["127.0.0.1", "localhost"]) await expectService(hostOf(name));
});

test("lab mode on loopback refuses a name that somebody has point there, with a token too", async () => {
  const why = "This host name isn't one of Cumulus'.";
  await expectRefusals(403, why, hostOf("evil.example"));
  await expectRefusals(403, why, { ...hostOf("127.0.0.1.evil.example"), ...bearer() });
});

test("lab mode on all addresses needs a token for each of its requests, also over the loopback", async () => {
  await startOn("0.0.0.0");
  const why = "Lab mode needs no token only when HOST is a loopback address. Send it as `Authorization: Bearer …`.";
  await expectRefusals(401, why);
  await expectRefusals(401, why, hostOf("localhost"));
  await expectRefusals(401, why, { authorization: "Bearer wrong" });
  await expectRefusals(403, "This host name isn't one of Cumulus'.", { ...hostOf("evil.example"), ...bearer() });
  await expectService(bearer());
});
