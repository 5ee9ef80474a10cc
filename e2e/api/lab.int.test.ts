import { readFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MachineSpec } from "../../lib/domain/machine";
import type { Vm } from "../../lib/domain/vm";
import { type Stack, startStack, until } from "../stack";
import { MiB, qcow2 } from "../testDisk";
import { imageClient } from "./imageClient";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake", env: { CUMULUS_LAB: "1" } });
  await until(
    "there is an image",
    async () => (await stack.api<{ items: [] }>("GET", "/api/images")).body.items.length > 0,
  );
  await imageClient(stack).uploaded("ubuntu_22.04", await qcow2(MiB));
});
afterAll(() => stack?.stop());

const whole = { name: "my_vm", image: "mini", network: "default", mem_size: "2G", disk_size: "10G" };

/** The lab's two requests for VMs, as it prints them. */
const keyOfTheLab =
  "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC8CDHgeE4NIIIih3wSz58GDkfPLUk2m9gmbZB1f6o8Lzawzb3HVFpslAUWK0f/Ymw9cloInpMo50gWMYFSyJ7ZrOWWak54BedpHDkFAxxy+JCE9b+pkKsrAT7wiir7gn2LHlhj55FLZkC9PpM9cBcrMfzlcP9Bf+2cnpDdINybSLmOUmrI23ANteM4lEVaa2yEbCaJk6dFB8+atz5zPjvVI0Hd+kJK7yJ0xV6Zc2ADle7TKW3dyiXOE9qFKe9933Rj7ocqNXCAO1cxUoJCVuVS7lh+1pSSPXLWLTOhVp/XiLGWVP6KRYmmn710MWKm9Kj1tPiGUphUraL20SJiRT6/ os-cloud-user";
const firstAsked =
  '{ "name": "my_vm", "image": "ubuntu_22.04", "network": "default", "mem_size": "2G", "disk_size": "10G"}';
const secondAsked = `{ "name": "my_vm2", "image": "ubuntu_22.04", "network": "default", "mem_size": "2G", "disk_size": "10G", "ssh_key": "${keyOfTheLab}"}`;

/** As the lab's curl does; the answer's very bytes. */
async function lab(path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(stack.url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${stack.token}`, "content-type": "application/json", ...headers },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}
const refused = (message: string) => ({ status: 200, text: JSON.stringify({ status: "error", error_msg: message }) });
const info = async (id: number) => JSON.parse((await lab("/vm_info", { id })).text);

describe("the OS Cloud lab, byte for byte", () => {
  test("its first page, to programs; browsers get the dashboard", async () => {
    expect((await lab("/")).text).toBe("Welcome to OS Cloud!");
    const response = await fetch(stack.url, { headers: { accept: "text/html" }, redirect: "manual" });
    expect(response.headers.get("content-type") ?? "").not.toContain("text/plain");
  });

  test("its own requests, word for word", async () => {
    const is = (text: string) => ({ status: 200, text });
    const first = (state: string) =>
      `{"disk_size":10737418240,"id":1,"ip":"192.168.0.2","mem_size":2147483648,"name":"my_vm","network":"default","os":"ubuntu_22.04","state":"${state}"}`;
    expect(await lab("/vm_list")).toEqual(is("[]"));
    expect(await lab("/vm_create", firstAsked)).toEqual(is('{"id":1,"status":"ok"}'));
    expect(await lab("/vm_list")).toEqual(is('[{"id":1,"name":"my_vm"}]'));
    expect(await lab("/vm_info", '{ "id": 1 }')).toEqual(is(first("RUNNING")));
    expect(await lab("/vm_create", secondAsked)).toEqual(is('{"id":2,"status":"ok"}'));
    expect(await lab("/vm_info", '{ "id": 2 }')).toEqual(
      is(
        '{"disk_size":10737418240,"id":2,"ip":"192.168.0.3","mem_size":2147483648,"name":"my_vm2","network":"default","os":"ubuntu_22.04","state":"RUNNING"}',
      ),
    );
    expect(await lab("/vm_stop", '{ "id": 1}')).toEqual(is('{"status":"ok"}'));
    expect(await lab("/vm_info", '{ "id": 1 }')).toEqual(is(first("STOPPED")));
    expect(await lab("/vm_start", '{ "id": 1}')).toEqual(is('{"status":"ok"}'));
    expect(await seedOf(2)).toContain(keyOfTheLab);
    for (const id of [1, 2]) await lab("/vm_delete", { id });
  });

  test("start, stop, start, pause, delete", async () => {
    const { id } = JSON.parse((await lab("/vm_create", whole)).text);
    expect((await lab("/vm_info", { id })).text).toContain('"os":"mini","state":"RUNNING"}');
    const shown = async () => (await stack.api<Vm>("GET", `/api/vms/${id}`)).body;
    await until("its boot is over", async () => (await shown()).isReady);
    const { timeline } = await shown();
    expect((await lab("/vm_start", { id })).text).toBe('{"status":"ok"}');
    expect((await shown()).timeline).toEqual(timeline);
    expect((await lab("/vm_stop", { id })).text).toBe('{"status":"ok"}');
    expect((await info(id)).state).toBe("STOPPED");
    expect((await lab("/vm_stop", { id })).text).toBe('{"status":"ok"}');
    expect((await lab("/vm_start", { id })).text).toBe('{"status":"ok"}');
    expect((await info(id)).state).toBe("RUNNING");
    const { body: vm } = await stack.api<Vm>("GET", `/api/vms/${id}`);
    expect(vm).toMatchObject({ name: "my-vm", status: "running" });
    await stack.api("POST", `/api/vms/${id}/pause`, {});
    await until("it is paused", async () => (await info(id)).state === "PAUSED");
    expect((await lab("/vm_delete", { id })).text).toBe('{"status":"ok"}');
    expect(await lab("/vm_list")).toEqual({ status: 200, text: "[]" });
  });
});

describe("what is wrong is told as the lab tells it", () => {
  const { name: _name, image: _image, network: _network, mem_size: _memory, ...onlyDisk } = whole;
  test.each([
    [{}, "VM name not provided"],
    [onlyDisk, "VM name not provided"],
    [{ name: "x" }, "VM image not provided"],
    [{ name: "x", image: "mini" }, "VM network not provided"],
    [{ name: "x", image: "mini", network: "default" }, "VM mem_size not provided"],
    [{ name: "x", image: "mini", network: "default", mem_size: "2G" }, "VM disk_size not provided"],
    [{ ...whole, network: "nowhere" }, 'network "nowhere" not found'],
    [{ ...whole, network: "nowhere", image: "ubuntu_1.0" }, 'network "nowhere" not found'],
    [{ ...whole, name: "" }, "VM name not provided"],
    [{ ...whole, name: "   " }, "VM name not provided"],
    [{ ...whole, image: " \t" }, "VM image not provided"],
    [{ ...whole, network: " " }, "VM network not provided"],
    [{ ...whole, mem_size: " " }, "VM mem_size not provided"],
    [{ ...whole, disk_size: null }, "VM disk_size not provided"],
    [{ ...whole, mem_size: {} }, "Invalid mem_size: {}"],
    [{ ...whole, image: "ubuntu_1.0" }, 'disk template "ubuntu_1.0" not found'],
    [{ ...whole, mem_size: "much" }, "Invalid mem_size: much"],
    [{ ...whole, mem_size: "1K" }, "Invalid mem_size: 1K"],
    [{ ...whole, disk_size: "-5G" }, "Invalid disk_size: -5G"],
    [{ ...whole, ssh_key: 5 }, "Invalid ssh_key: 5"],
    [{ ...whole, ssh_key: ["ssh-ed25519"] }, 'Invalid ssh_key: ["ssh-ed25519"]'],
  ])("create %j: %s", async (body, message) => {
    expect(await lab("/vm_create", body)).toEqual(refused(message));
  });

  test("a disk that is smaller than its template is an error of the disk", async () => {
    const answer = await lab("/vm_create", { ...whole, disk_size: "128M" });
    expect(answer).toEqual(refused("create disk failed: Too small for this image: mini needs 256 MiB."));
  });

  test("a name that is taken", async () => {
    const first = JSON.parse((await lab("/vm_create", { ...whole, name: "taken" })).text);
    expect(first.status).toBe("ok");
    for (const more of [{}, { network: "nowhere" }, { image: "ubuntu_1.0", mem_size: "much" }]) {
      const again = { ...whole, ...more, name: "taken" };
      expect(await lab("/vm_create", again)).toEqual(refused('vm "taken" already exists'));
    }
    await lab("/vm_delete", { id: first.id });
  });

  test("one name asked for ten times at once is one VM", async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => lab("/vm_create", { ...whole, name: "race" })));
    const made = answers.map(({ text }) => JSON.parse(text)).filter(({ status }) => status === "ok");
    expect(made).toHaveLength(1);
    await lab("/vm_delete", { id: made[0].id });
  });

  test.each(["/vm_info", "/vm_start", "/vm_stop", "/vm_delete"])("%s without an id, and of no VM", async (path) => {
    expect(await lab(path, {})).toEqual(refused("VM id not provided"));
    const quote = path === "/vm_info" ? '"' : "'";
    expect(await lab(path, { id: 999 })).toEqual(refused(`vm ${quote}999${quote} not found`));
  });

  test.each(["not json", "[]", '"text"', "null", '{"id":"\\u0000"}', '{"id":1e99}', '{"id":{}}'])(
    "%s is an error with a reason",
    async (body) => {
      const { status, text } = await lab("/vm_info", body);
      expect(status).toBe(200);
      const answer = JSON.parse(text);
      expect(answer).toEqual({ status: "error", error_msg: expect.stringMatching(/\S/) });
    },
  );
});

describe("who may ask", () => {
  test("where guests could reach it, lab mode asks for a token and says why", async () => {
    const { status, body } = await withoutToken({});
    expect(status).toBe(401);
    expect(body).toMatchObject({ status: "error", code: "unauthenticated" });
    expect(body.error_msg).toContain("With user-mode networking VMs reach this machine's loopback");
  });

  test.each<Record<string, string>>([
    { via: "1.1 proxy" },
    { forwarded: "for=127.0.0.1" },
    { "x-real-ip": "127.0.0.1" },
    { "x-forwarded-for": "127.0.0.1" },
    { "x-forwarded-proto": "http" },
    { "sec-fetch-site": "cross-site" },
    { via: "1.1 proxy", "x-cumulus-proxied": "no" },
  ])("lab mode asks for a token when a request comes with %j, and takes one", async (headers) => {
    const { status, body } = await withoutToken(headers);
    expect(status).toBe(401);
    expect(body.error_msg).toContain("Requests from elsewhere need a token");
    expect((await lab("/vm_list", undefined, headers)).status).toBe(200);
  });

  test("a wrong method is 405", async () => {
    expect((await lab("/vm_create")).status).toBe(405);
    expect((await lab("/vm_list", {})).status).toBe(405);
  });

  test("another Host, and pages of other sites, are refused", async () => {
    expect((await lab("/vm_list", undefined, { origin: "http://evil.example" })).status).toBe(403);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: "evil.example", authorization: `Bearer ${stack.token}` };
      httpRequest(`${stack.url}/vm_list`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(403);
  });

  test("the lab's password is in the seeds of the lab's VMs, and in nobody else's", async () => {
    const { id } = JSON.parse((await lab("/vm_create", { ...whole, name: "of_the_lab" })).text);
    const { body: vm } = await stack.api<Vm>("POST", "/api/vms", { name: "own", image: "mini", size: "nano" });
    await until("both are on the host", async () => (await seedOf(id)) !== null && (await seedOf(vm.id)) !== null);
    expect(await seedOf(id)).toContain("123456");
    expect(await seedOf(vm.id)).not.toContain("123456");
  });
});

/** Asks for the list without a token. */
async function withoutToken(headers: Record<string, string>) {
  const response = await fetch(`${stack.url}/vm_list`, { headers });
  return { status: response.status, body: await response.json() };
}

/** What the host gives the guest to read, from the fake host's own records; null while it doesn't know the VM. */
async function seedOf(id: number): Promise<string | null> {
  const saved: { spec: MachineSpec }[] = JSON.parse(
    await readFile(join(stack.settings.dataDir, "fake-vms.json"), "utf8"),
  );
  const machine = saved.find(({ spec }) => spec.id === id);
  return machine ? JSON.stringify(machine.spec.seed) : null;
}
