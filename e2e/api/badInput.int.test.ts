import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allEndpoints } from "../../lib/api/registry";
import { type Stack, startStack } from "../stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
});
afterAll(() => stack?.stop());

const valid = { name: "valid", image: "mini", size: "nano" };

const send = (path: string, method: string, body: BodyInit, headers: Record<string, string> = {}) =>
  fetch(stack.url + path, {
    method,
    headers: { authorization: `Bearer ${stack.token}`, "content-type": "application/json", ...headers },
    body,
    // Node's fetch asks for it where the body is a stream.
    duplex: "half",
  } as RequestInit);

const countVms = async () => (await stack.api<{ items: unknown[] }>("GET", "/api/vms")).body.items.length;

describe("POST /api/vms names the field that is wrong, and makes nothing", () => {
  const cases: [string, object, string][] = [
    ["no name", { ...valid, name: undefined }, "name"],
    ["a name with capitals", { ...valid, name: "Web" }, "name"],
    ["a name with a comma", { ...valid, name: "a,id=b" }, "name"],
    ["a name of 64 characters", { ...valid, name: "a".repeat(64) }, "name"],
    ["a name that ends with a dash", { ...valid, name: "web-" }, "name"],
    ["a name that is a number", { ...valid, name: 7 }, "name"],
    ["an image that isn't there", { ...valid, image: "windows" }, "image"],
    ["a size that isn't there", { ...valid, size: "galactic" }, "size"],
    ["no size at all", { name: "valid", image: "mini" }, "size"],
    ["memory that is no size", { ...valid, memory: "lots" }, "memory"],
    ["negative memory", { ...valid, memory: -1 }, "memory"],
    ["memory below what the image needs", { ...valid, memory: "1M" }, "memory"],
    ["a disk below the image's", { ...valid, disk: "64M" }, "disk"],
    ["no vCPU", { ...valid, vcpus: 0 }, "vcpus"],
    ["half a vCPU", { ...valid, vcpus: 0.5 }, "vcpus"],
    ["a network that isn't there", { ...valid, network: "secret" }, "network"],
    ["a key name that isn't saved", { ...valid, sshKeys: ["nobody"] }, "sshKeys.0"],
    ["a key of two lines", { ...valid, sshKeys: ["ssh-ed25519 AAAA\nssh-rsa BBBB"] }, "sshKeys.0"],
    ["user data that is no cloud-config", { ...valid, userData: "hello" }, "userData"],
    ["user data that is broken YAML", { ...valid, userData: "#cloud-config\nusers: [" }, "userData"],
    ["a file with a relative path", { ...valid, files: [{ path: "etc/x", content: "" }] }, "files.0.path"],
    [
      "a file that is no base64",
      { ...valid, files: [{ path: "/x", content: "?", encoding: "base64" }] },
      "files.0.content",
    ],
    ["a file in no encoding", { ...valid, files: [{ path: "/x", content: "", encoding: "hex" }] }, "files.0.encoding"],
    ["a field that isn't there", { ...valid, colour: "red" }, "colour"],
  ];
  test.each(cases)("%s", async (_what, body, field) => {
    const before = await countVms();
    const { status, body: problem } = await stack.api<{ code: string; detail: string; fields: object }>(
      "POST",
      "/api/vms",
      body,
    );
    expect(status).toBe(400);
    expect(problem.code).toBe("bad_request");
    expect(Object.keys(problem.fields)).toContain(field);
    expect(problem.detail.length).toBeGreaterThan(10);
    expect(await countVms()).toBe(before);
  });
});

describe("names that can't be seen, or turn the text around, are refused and named", () => {
  const recipe = { name: "r", steps: [{ type: "timezone", timezone: "UTC" }] };
  const cases: [string, string, object, string][] = [
    ["a token", "/api/tokens", {}, "name"],
    ["a firewall", "/api/firewalls", { rules: [] }, "name"],
    ["a template", "/api/user-data-templates", { userData: "#cloud-config\n" }, "name"],
    ["a recipe", "/api/recipes", recipe, "title"],
    ["an image", "/api/images", { build: "mini" }, "title"],
    ["a network", "/api/networks", { name: "n", cidr: "10.9.0.0/24" }, "description"],
  ];
  test.each(cases)("%s", async (_what, path, body, field) => {
    for (const text of ["\u200b", "a\u202egpj"]) {
      const answer = await stack.api("POST", path, { ...body, [field]: text });
      expect(answer).toMatchObject({ status: 400, body: { fields: { [field]: expect.stringContaining("U+20") } } });
    }
  });

  test("a snapshot, whose note may have lines", async () => {
    const { body: vm } = await stack.api<{ id: number }>("POST", "/api/vms?wait=ready", { ...valid, name: "unseen" });
    const take = (body: object) => stack.api("POST", `/api/vms/${vm.id}/snapshots`, body);
    expect(await take({ name: "\u200b" })).toMatchObject({
      status: 400,
      body: { fields: { name: expect.any(String) } },
    });
    expect(await take({ note: "a\u202eb" })).toMatchObject({
      status: 400,
      body: { fields: { note: expect.any(String) } },
    });
    expect((await take({ name: "👩‍💻 שלום", note: "one\ntwo" })).status).toBe(202);
  });
});

describe("bodies that are no JSON of ours", () => {
  // The OS Cloud lab's paths answer 200 with an error in their own words, which lab.int.test.ts looks at.
  const withBody = allEndpoints.filter(({ body, path }) => body !== null && path.startsWith("/api/"));
  const bodies: [string, string][] = [
    ["half of an object", '{"name":'],
    ["an array", "[]"],
    ["a string", '"x"'],
    ["null", "null"],
    [
      "a NUL character",
      '{"name":"a\\u0000b","text":"\\u0000","publicKey":"\\u0000","userData":"\\u0000","newPassword":"\\u0000"}',
    ],
    ["a key of the prototype", '{"__proto__":{"admin":true}}'],
    ["a depth of 10,000", `${"[".repeat(10_000)}${"]".repeat(10_000)}`],
    ["a depth of 10,000 objects", `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`],
    ["numbers past all bounds", '{"name":1e999,"vcpus":1e999,"deadlineSeconds":1e999}'],
  ];
  for (const { method, path } of withBody) {
    test.each(bodies)(`${method} ${path}: %s is a 4xx`, async (_what, text) => {
      const filledIn = path.replace(/\{\w+\}/g, "999999");
      expect(filledIn).not.toMatch(/[{}]/);
      const response = await send(filledIn, method, text);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
    });
  }

  test("a body of another type, or that is no UTF-8, is refused", async () => {
    const form = await send("/api/vms", "POST", "name=x", { "content-type": "application/x-www-form-urlencoded" });
    expect(form.status).toBe(400);
    const plain = await send("/api/vms", "POST", JSON.stringify(valid), { "content-type": "text/plain" });
    expect(plain.status).toBe(400);
    const latin = await send("/api/vms", "POST", new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]));
    expect(latin.status).toBe(400);
  });

  test("100 MB are refused without being read, announced or not", async () => {
    const announced = await send("/api/vms", "POST", new Uint8Array(100 * 1024 ** 2)).then(
      (response) => response.status,
      () => 413,
    );
    expect(announced).toBe(413);
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536;
        if (sent > 100 * 1024 ** 2) controller.close();
        else controller.enqueue(new Uint8Array(65_536).fill(32));
      },
    });
    const unannounced = await send("/api/vms", "POST", endless).then(
      (response) => response.status,
      () => 413,
    );
    expect(unannounced).toBe(413);
    expect((await stack.api("GET", "/api/vms")).status).toBe(200);
  });

  test("queries that are no good are a 400, and wildcards are plain characters", async () => {
    expect((await stack.api("POST", "/api/vms?wait=forever", valid)).status).toBe(400);
    for (const query of ["vm=abc", "limit=0", "limit=501", "limit=x", "cursor=x", "colour=red", "limit=1&limit=2"]) {
      const { status, body } = await stack.api<{ fields: object }>("GET", `/api/operations?${query}`);
      expect([status, Object.keys(body.fields)]).toEqual([400, [query.split("=")[0]]]);
    }
    expect((await stack.api("GET", "/api/snapshots?vmId=1")).status).toBe(400);
    expect((await stack.api("GET", "/api/vms?search=%00")).status).toBe(400);
    const { body } = await stack.api<{ items: unknown[] }>("GET", "/api/vms?search=%25");
    expect(body.items).toEqual([]);
  });
});
