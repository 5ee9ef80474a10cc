import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Method, methods } from "../../lib/api/endpoint";
import { allEndpoints } from "../../lib/api/registry";
import { projectDir } from "../../lib/paths";
import { type Stack, startStack } from "../stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
});
afterAll(() => stack?.stop());

/** As the route files have them, not as the registry says, with parameters as the registry writes them. */
const pathsOnDisk = readdirSync(`${projectDir}/app`, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith("/route.ts"))
  .map((file) => `/${dirname(file)}`.replace(/\(\w+\)\//g, "").replace(/\[(\w+)\]/g, "{$1}"));

/** They have no endpoint: what they let through is tested with them. */
const special = ["/api/openapi.json", "/api/auth/[...all]", "/sign-in/{token}", "/api/[[...path]]"];
const openPaths = [...special, "/api/health"];

describe("access", () => {
  test("every route file is a path of the registry, and the other way round", () => {
    const registered = new Set(allEndpoints.map(({ path }) => path));
    expect(pathsOnDisk.filter((path) => !special.includes(path)).sort()).toEqual([...registered].sort());
  });

  const routes = pathsOnDisk.flatMap((path) => methods.map((method) => ({ path, method })));
  const isRegistered = (path: string, method: Method) =>
    allEndpoints.some((endpoint) => endpoint.path === path && endpoint.method === method);
  const closed = routes.filter(({ path }) => !openPaths.includes(path));

  /** With what comes with them: HEAD with GET, OPTIONS with any. */
  const allowedAt = (path: string) => {
    const registered = methods.filter((method) => isRegistered(path, method));
    return [...registered, ...(registered.includes("GET") ? ["HEAD"] : []), "OPTIONS"];
  };

  async function expectRefusal(response: Response, allowed: string[]) {
    expect(response.status).toBe(405);
    expect(methodsIn(response)).toEqual(allowed.sort());
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ code: "method_not_allowed", status: 405 });
  }

  const methodsIn = (response: Response) => response.headers.get("allow")?.split(", ").sort();

  test.each(closed.filter(({ path, method }) => isRegistered(path, method)))(
    "$method $path asks for credentials",
    async ({ path, method }) => {
      const url = stack.url + path.replace("{id}", "1");
      const requests: RequestInit[] = [
        {},
        { headers: { authorization: "Bearer wrong" } },
        { headers: { cookie: "cumulus.session_token=wrong.wrong" } },
        { headers: { "x-middleware-subrequest": "middleware:middleware:middleware" } },
      ];
      for (const request of requests) {
        const response = await fetch(url, { method, ...request });
        expect(response.status).toBe(401);
        const problem = await response.json();
        expect(problem.code).toBe("unauthenticated");
      }
    },
  );

  test.each(closed.filter(({ path, method }) => path.startsWith("/api/") && !isRegistered(path, method)))(
    "$method $path does not exist, and the answer says which methods do",
    async ({ path, method }) => {
      const response = await fetch(stack.url + path.replace("{id}", "1"), { method });
      await expectRefusal(response, allowedAt(path));
    },
  );

  test.each(pathsOnDisk.filter((path) => path.startsWith("/api/") && !special.includes(path)))(
    "OPTIONS and HEAD of %s know the methods that there are",
    async (path) => {
      const url = stack.url + path.replace("{id}", "1");
      const options = await fetch(url, { method: "OPTIONS" });
      expect(options.status).toBe(204);
      expect(methodsIn(options)).toEqual(allowedAt(path).sort());
      const head = await fetch(url, { method: "HEAD" });
      if (isRegistered(path, "GET")) expect(head.status).not.toBe(405);
      else expect({ status: head.status, allow: methodsIn(head) }).toEqual({ status: 405, allow: methodsIn(options) });
    },
  );

  test("what has no endpoint tells its methods as well", async () => {
    const pages = [
      { path: "/api/openapi.json", allowed: ["GET", "HEAD", "OPTIONS"] },
      { path: "/api/auth/magic-link/verify", allowed: ["GET", "OPTIONS"] },
      { path: "/api/auth/sign-out", allowed: ["OPTIONS", "POST"] },
    ];
    for (const { path, allowed } of pages) {
      await expectRefusal(await fetch(stack.url + path, { method: "PUT" }), allowed);
      expect(methodsIn(await fetch(stack.url + path, { method: "OPTIONS" }))).toEqual(allowed);
    }
  });

  const nothing = ["/api/vms/1/nothing", "/api/auth/sign-up/email", "/api/auth", "/api"];
  test.each(nothing.flatMap((path) => [...methods, "OPTIONS"].map((method) => ({ path, method }))))(
    "$method of $path, which nothing has, is told so, as every error is",
    async ({ path, method }) => {
      const response = await fetch(stack.url + path, { method });
      expect(response.status).toBe(404);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect((await response.json()).detail).toContain(`There is nothing at ${path}.`);
    },
  );

  test("better-auth's requests that the sign-in pages don't use are not there", async () => {
    for (const path of ["/sign-up/email", "/sign-in/magic-link", "/sign-in/email", "/update-user", "/list-sessions"]) {
      const response = await fetch(`${stack.url}/api/auth${path}`, { method: "POST", body: "{}" });
      expect(response.status).toBe(404);
    }
  });

  test("a host name that isn't ours is refused, whatever the credentials", async () => {
    const answer = await rawRequest(
      stack.settings.port,
      `GET /api/vms HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer ${stack.token}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  });

  test("an API token opens the API until it is revoked", async () => {
    const { body: made } = await stack.api<{ id: number; token: string }>("POST", "/api/tokens", { name: "robot" });
    expect(made.token).toHaveLength(64);
    const asRobot = { headers: { authorization: `Bearer ${made.token}` } };
    expect((await fetch(`${stack.url}/api/vms`, asRobot)).status).toBe(200);
    const { body: listed } = await stack.api<{ items: object[] }>("GET", "/api/tokens");
    expect(JSON.stringify(listed)).not.toContain(made.token);
    expect((await stack.api("DELETE", `/api/tokens/${made.id}`)).status).toBe(204);
    expect((await fetch(`${stack.url}/api/vms`, asRobot)).status).toBe(401);
  });

  test("only the administrator's token makes sign-in links", async () => {
    const { body: made } = await stack.api<{ token: string }>("POST", "/api/tokens", { name: "other" });
    const response = await fetch(`${stack.url}/api/sign-in-links`, {
      method: "POST",
      headers: { authorization: `Bearer ${made.token}`, "content-type": "application/json" },
      body: "{}",
    });
    expect(response.status).toBe(403);
  });
});

describe("sign-in", () => {
  test("the link signs in once, a password follows, a page of another site can't use the cookie", async () => {
    const { body: link } = await stack.api<{ url: string }>("POST", "/api/sign-in-links", {});
    const short = await fetch(link.url, { redirect: "manual" });
    const full = new URL(short.headers.get("location") ?? "", stack.url);
    const signedIn = await fetch(full, { redirect: "manual" });
    expect(signedIn.headers.get("location")).toMatch(/\/welcome$/);
    const cookie = cookieOf(signedIn);
    const again = await fetch(full, { redirect: "manual" });
    expect(again.headers.get("location")).toContain("error=");
    expect(again.headers.getSetCookie().join()).not.toContain("session_token=ey");

    const own = { cookie, origin: stack.url, "content-type": "application/json" };
    const setPassword = (newPassword: string, headers: Record<string, string> = own) =>
      fetch(`${stack.url}/api/account/password`, { method: "POST", headers, body: JSON.stringify({ newPassword }) });
    expect((await setPassword("short")).status).toBe(400);
    expect((await setPassword("correct horse battery", { ...own, origin: "http://evil.example" })).status).toBe(403);
    const { origin: _origin, ...withoutOrigin } = own;
    expect((await setPassword("correct horse battery", withoutOrigin)).status).toBe(403);
    expect((await setPassword("correct horse battery")).status).toBe(204);
    expect((await setPassword("another horse battery")).status).toBe(400);

    expect((await signIn("admin", "wrong horse battery")).status).toBe(401);
    const byPassword = await signIn("admin", "correct horse battery");
    expect(byPassword.status).toBe(200);
    const session = { headers: { cookie: cookieOf(byPassword) } };
    expect((await fetch(`${stack.url}/api/vms`, session)).status).toBe(200);
    const health = await (await fetch(`${stack.url}/api/health`)).json();
    expect(health).toMatchObject({ status: "ok", needsSetup: false });

    const signedOut = await fetch(`${stack.url}/api/auth/sign-out`, {
      method: "POST",
      headers: { ...session.headers, origin: stack.url, "content-type": "application/json" },
      body: "{}",
    });
    expect(signedOut.status).toBe(200);
    expect((await fetch(`${stack.url}/api/vms`, session)).status).toBe(401);
  });

  test("guessing is slowed down, also over a restart of the console", async () => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 14; attempt++)
      statuses.push((await signIn("admin", `guess number ${attempt}`)).status);
    expect(statuses).toContain(429);
    await stack.kill("console");
    await stack.startConsole();
    expect((await signIn("admin", "one more guess")).status).toBe(429);
  });
});

function signIn(username: string, password: string): Promise<Response> {
  return fetch(`${stack.url}/api/auth/sign-in/username`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: stack.url },
    body: JSON.stringify({ username, password }),
  });
}

function cookieOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
}

function rawRequest(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("end", () => resolve(answer));
    socket.on("error", reject);
  });
}
