import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ApiProblem, apiRequest } from "./client";

let server: Server;
let base: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === "/echo") {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        response.end(JSON.stringify({ method: request.method, type: request.headers["content-type"] ?? null, body }));
      });
    } else if (request.url === "/nothing") {
      response.writeHead(204).end();
    } else if (request.url === "/problem") {
      response.writeHead(400, { "content-type": "application/problem+json" });
      response.end(
        JSON.stringify({
          title: "Bad Request",
          detail: "Not a name.",
          code: "bad_request",
          fields: { name: "Use a–z." },
        }),
      );
    } else if (request.url === "/proxy") {
      response.writeHead(502, { "content-type": "text/html" }).end("<h1>Bad Gateway</h1>");
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function problemFrom(promise: Promise<unknown>): Promise<ApiProblem> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiProblem)) throw new Error(`Expected a problem, got ${error}`);
  return error;
}

test("a mutation is sent as JSON even without a body", async () => {
  expect(await apiRequest("POST", `${base}/echo`)).toEqual({ method: "POST", type: "application/json", body: "{}" });
  expect(await apiRequest("GET", `${base}/echo`)).toEqual({ method: "GET", type: null, body: "" });
});

test("an answer without a body is undefined", async () => {
  expect(await apiRequest("DELETE", `${base}/nothing`)).toBeUndefined();
});

test("a refusal keeps the server's detail, code and fields", async () => {
  const problem = await problemFrom(apiRequest("GET", `${base}/problem`));
  expect(problem).toMatchObject({
    status: 400,
    code: "bad_request",
    detail: "Not a name.",
    fields: { name: "Use a–z." },
  });
});

test("an error page that isn't JSON becomes a problem with its status", async () => {
  expect(await problemFrom(apiRequest("GET", `${base}/proxy`))).toMatchObject({ status: 502, code: "internal" });
});

test("no answer is a problem of its own", async () => {
  expect(await problemFrom(apiRequest("GET", "http://127.0.0.1:1/"))).toMatchObject({ status: 0, code: "unavailable" });
});

test("an aborted request throws the abort, not a problem", async () => {
  const controller = new AbortController();
  const request = apiRequest("GET", `${base}/hangs`, undefined, { signal: controller.signal });
  controller.abort();
  await expect(request).rejects.toMatchObject({ name: "AbortError" });
});
