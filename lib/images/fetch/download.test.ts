import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { until } from "../../hypervisor/testing/until";
import { hostBootId } from "../../system/platform";
import { StagedFile } from "../staging/stagedFile";
import { TransferMeter } from "../staging/transferMeter";
import { file, type Handler, serveImages } from "../testing/imageServer";
import { download } from "./download";

const MiB = 2 ** 20;
const content = randomBytes(3 * MiB);
const sha256 = createHash("sha256").update(content).digest("hex");
const limits = { fileBytes: 16 * MiB, reserveBytes: 0 };

async function stage() {
  const folder = await mkdtemp(join(tmpdir(), "download-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return { received: join(folder, "received"), state: join(folder, "download.json") };
}

type Stage = Awaited<ReturnType<typeof stage>>;

interface FetchOptions {
  signal?: AbortSignal;
  pauseFactor?: number;
  algorithm?: "sha256" | null;
}

async function fetch(
  url: string,
  { received, state }: Stage,
  { signal = new AbortController().signal, pauseFactor = 0, algorithm = "sha256" }: FetchOptions = {},
) {
  const told: number[] = [];
  const log: string[] = [];
  const report = {
    progress: (percent: number) => void told.push(percent),
    log: (line: string) => void log.push(line),
  };
  const staged = await StagedFile.open(received, algorithm, limits);
  try {
    const result = await download(new URL(url), staged, state, {
      rules: { allowedHosts: [new URL(url).host], answerTimeoutMs: 5000, stallTimeoutMs: 300 },
      ...{ meter: new TransferMeter(report, "downloads", [0, 100]), report, signal, pauseFactor },
    });
    return { ...result, hash: staged.digest(), bytes: staged.bytes, told, log };
  } finally {
    await staged.close();
  }
}

async function fetchFrom(handler: Handler, options: FetchOptions = {}) {
  const server = await serveImages({ "/a": handler });
  const place = await stage();
  return { server, place, result: await fetch(`${server.url}/a`, place, options) };
}

const unhashed = { algorithm: null };

test("a file comes whole, with its hash and its progress", async () => {
  const { result, place, server } = await fetchFrom(file(content));
  expect(result).toMatchObject({ isPieced: false, hash: sha256, bytes: content.length });
  expect(result.told.at(-1)).toBe(100);
  expect(content.equals(await readFile(place.received))).toBe(true);
  expect(server.requests).toHaveLength(1);
});

test("a connection that is cut is taken up where it was", async () => {
  const { result, server, place } = await fetchFrom(file(content, { cuts: [MiB, MiB] }));
  expect(result).toMatchObject({ isPieced: true, hash: sha256 });
  expect(content.equals(await readFile(place.received))).toBe(true);
  const ranges = server.requests.map(({ headers }) => headers.range);
  expect(ranges[0]).toBeUndefined();
  expect(ranges.slice(1).every((range) => Number(/\d+/.exec(range ?? "")?.[0]) > 0)).toBe(true);
});

test("with a checksum, a part goes on from another mirror, which names the same file otherwise", async () => {
  const mirrors: Handler = (request, response, count) =>
    file(content, { etag: `"mirror ${count}"`, cuts: [MiB, MiB] })(request, response, count);
  const { result, server } = await fetchFrom(mirrors);
  expect(result).toMatchObject({ isPieced: true, hash: sha256 });
  expect(server.requests).toHaveLength(3);
  expect(server.requests[2]?.headers.range).toMatch(/^bytes=[1-9]/);
});

test("without a checksum, only the very same file is gone on with", async () => {
  const { result, server, place } = await fetchFrom(file(content, { cuts: [MiB] }), unhashed);
  expect(result).toMatchObject({ isPieced: true });
  expect(content.equals(await readFile(place.received))).toBe(true);
  expect(server.requests[1]?.headers).toMatchObject({
    range: expect.stringMatching(/^bytes=[1-9]/),
    "if-range": '"one"',
  });

  const changed: Handler = (request, response, count) =>
    file(content, { etag: `"mirror ${count}"`, cuts: [MiB] })(request, response, count);
  const other = await fetchFrom(changed, unhashed);
  expect(content.equals(await readFile(other.place.received))).toBe(true);
  expect(other.server.requests[1]?.headers["if-range"]).toBe('"mirror 1"');
});

test("a server that knows no ranges sends all again", async () => {
  const { result, server } = await fetchFrom(file(content, { etag: null, cuts: [2 * MiB] }));
  expect(result).toMatchObject({ hash: sha256 });
  expect(server.requests).toHaveLength(2);
});

test("without a checksum and without a validator, no part is asked for", async () => {
  const { place, server } = await fetchFrom(file(content, { etag: null, cuts: [2 * MiB] }), unhashed);
  expect(content.equals(await readFile(place.received))).toBe(true);
  expect(server.requests.map(({ headers }) => headers.range)).toEqual([undefined, undefined]);
});

test("a part that an earlier process left is taken up, if it is of the same file", async () => {
  const server = await serveImages({ "/a": file(content) });
  const place = await stage();
  await writeFile(place.received, content.subarray(0, MiB));
  await writeFile(
    place.state,
    JSON.stringify({ url: `${server.url}/a`, validator: '"one"', totalBytes: content.length, bootId: "earlier" }),
  );
  expect(await fetch(`${server.url}/a`, place)).toMatchObject({ isPieced: true, hash: sha256 });
  expect(server.requests[0]?.headers.range).toBe(`bytes=${MiB}-`);
});

test.each([
  ["another file's state", { url: "http://127.0.0.1/b", validator: '"one"', totalBytes: content.length }],
  ["a damaged state", "{"],
  ["no state", null],
])("a part with %s is fetched anew", async (_, state) => {
  const server = await serveImages({ "/a": file(content) });
  const place = await stage();
  await writeFile(place.received, randomBytes(MiB));
  if (state !== null) await writeFile(place.state, typeof state === "string" ? state : JSON.stringify(state));
  expect(await fetch(`${server.url}/a`, place)).toMatchObject({ isPieced: false, hash: sha256 });
});

test("without a checksum, a part from before the computer was last started is not trusted", async () => {
  for (const [bootId, isTrusted] of [
    ["earlier", false],
    [await hostBootId(), true],
  ] as const) {
    const server = await serveImages({ "/a": file(content) });
    const place = await stage();
    await writeFile(place.received, content.subarray(0, MiB));
    const known = { url: `${server.url}/a`, validator: '"one"', totalBytes: content.length, bootId };
    await writeFile(place.state, JSON.stringify(known));
    expect(await fetch(`${server.url}/a`, place, { algorithm: null })).toMatchObject({ isPieced: isTrusted });
    expect(content.equals(await readFile(place.received))).toBe(true);
  }
});

test("what is complete is not asked for again", async () => {
  const server = await serveImages({ "/a": file(content) });
  const place = await stage();
  await fetch(`${server.url}/a`, place);
  expect(await fetch(`${server.url}/a`, place)).toMatchObject({ hash: sha256 });
  expect(server.requests).toHaveLength(1);
});

test("a server that is restarted in the middle is waited for", async () => {
  const place = await stage();
  const first = await serveImages({ "/a": file(content, { cuts: [MiB, 0, 0, 0, 0, 0, 0] }) });
  const fetched = fetch(`${first.url}/a`, place, { pauseFactor: 0.1 });
  await until(async () => ((await stat(place.received).catch(() => null))?.size ?? 0) > 0);
  await first.close();
  const second = await serveImages({ "/a": file(content) }, first.port);
  expect(await fetched).toMatchObject({ isPieced: true, hash: sha256 });
  expect(second.requests[0]?.headers.range).toMatch(/^bytes=[1-9]/);
});

test("a network that is away for long is waited for when something has come, and not when nothing has", async () => {
  const away: Handler = (request, response, count) => {
    if (count === 1) file(content, { cuts: [MiB] })(request, response, 1);
    else if (count <= 30) request.socket.destroy();
    else file(content)(request, response, 1);
  };
  const { result, server } = await fetchFrom(away);
  expect(result).toMatchObject({ isPieced: true, hash: sha256 });
  expect(server.requests.at(-1)?.headers.range).toMatch(/^bytes=[1-9]/);
  await expect(fetchFrom((request) => request.socket.destroy())).rejects.toMatchObject({ code: "unavailable" });
});

test("a mirror that lacks a file that was there is not the end of it", async () => {
  const { result, server } = await fetchFrom(afterCut((_, response) => response.writeHead(404).end()));
  expect(result).toMatchObject({ isPieced: true, hash: sha256 });
  expect(server.requests[2]?.headers.range).toMatch(/^bytes=[1-9]/);
});

test("a file that changes between two answers is fetched anew", async () => {
  const next = randomBytes(2 * MiB);
  const handler: Handler = (request, response, count) =>
    count === 1
      ? file(content, { cuts: [MiB] })(request, response, 1)
      : file(next, { etag: '"two"' })(request, response, 1);
  const { result } = await fetchFrom(handler);
  expect(result).toMatchObject({ hash: createHash("sha256").update(next).digest("hex"), bytes: next.length });
});

/** First a cut, then the answer that a test has, then an honest file. */
function afterCut(answer: Handler): Handler {
  return (request, response, count) => {
    if (count === 1) file(content, { cuts: [MiB] })(request, response, 1);
    else if (count === 2) answer(request, response, count);
    else file(content)(request, response, 1);
  };
}

test.each<[string, Handler]>([
  [
    "of another place",
    (_, response) =>
      response
        .writeHead(206, { "content-range": `bytes 0-9/${content.length}`, "content-length": 10, etag: '"one"' })
        .end(content.subarray(0, 10)),
  ],
  [
    "of another size",
    ({ headers }, response) =>
      response
        .writeHead(206, { "content-range": `${(headers.range ?? "").replace("=", " ")}99/100`, "content-length": 3 })
        .end("abc"),
  ],
  [
    "that doesn't say of what size",
    ({ headers }, response) =>
      response
        .writeHead(206, { "content-range": `${headers.range?.replace("=", " ")}${content.length - 1}/*` })
        .end("abc"),
  ],
  ["that says nothing of what it is", (_, response) => response.writeHead(206).end("abc")],
  ["of a range that can't be", (_, response) => response.writeHead(416).end()],
])("a partial answer %s is not believed", async (_, answer) => {
  const { result, server } = await fetchFrom(afterCut(answer));
  expect(result).toMatchObject({ hash: sha256, bytes: content.length });
  expect(server.requests[2]?.headers.range).toBeUndefined();
});

test("without a checksum, a partial answer of another file is not believed", async () => {
  const other: Handler = ({ headers }, response) => {
    const place = `${headers.range?.replace("=", " ")}${content.length - 1}/${content.length}`;
    response.writeHead(206, { "content-range": place, etag: '"other"' }).end("abc");
  };
  const { place, server } = await fetchFrom(afterCut(other), unhashed);
  expect(content.equals(await readFile(place.received))).toBe(true);
  expect(server.requests[2]?.headers.range).toBeUndefined();
});

test("a server that lies about the length is tried again, and given up", async () => {
  const shorter: Handler = (_, response) =>
    response.writeHead(200, { "content-length": 100 }).write("ab", () => response.destroy());
  await expect(fetchFrom(shorter)).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("cut"),
  });
});

test("errors of the moment are tried again; those that stay are not", async () => {
  const busy: Handler = (request, response, count) =>
    count < 3 ? response.writeHead(503).end() : file(content)(request, response, 1);
  expect((await fetchFrom(busy)).result).toMatchObject({ hash: sha256 });

  const server = await serveImages({});
  await expect(fetch(`${server.url}/a`, await stage())).rejects.toMatchObject({ code: "bad_request" });
  expect(server.requests).toHaveLength(1);
});

test("a body that stops is taken up after its deadline", async () => {
  const stalls: Handler = (request, response, count) => {
    if (count > 1) return file(content)(request, response, 1);
    response.writeHead(200, { "content-length": content.length, etag: '"one"' });
    response.write(content.subarray(0, MiB));
  };
  const { result } = await fetchFrom(stalls);
  expect(result).toMatchObject({ isPieced: true, hash: sha256 });
  expect(result.log[0]).toContain("sent nothing for 0.3 s");
});

test("a server that sends a byte at a time and breaks off is given up", async () => {
  const { requests, url } = await serveImages({
    "/a": (request, response) => file(content, { cuts: [1] })(request, response, 1),
  });
  await expect(fetch(`${url}/a`, await stage())).rejects.toMatchObject({ code: "unavailable" });
  expect(requests.length).toBeLessThan(10);
});

test.each<[string, Handler]>([
  ["says so", (_, response) => response.writeHead(200, { "content-length": 17 * MiB }).write("a")],
  [
    "doesn't say so",
    (_, response) => {
      const more = () => response.destroyed || response.write(randomBytes(MiB), more);
      more();
    },
  ],
])("a file above the limit that %s is refused, with nothing beyond it written", async (_, handler) => {
  const { url } = await serveImages({ "/a": handler });
  const place = await stage();
  await expect(fetch(`${url}/a`, place)).rejects.toMatchObject({ code: "too_large" });
  expect((await readFile(place.received)).length).toBeLessThanOrEqual(limits.fileBytes);
});

test("an encoded body is refused", async () => {
  const gzip: Handler = (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("abc");
  await expect(fetchFrom(gzip)).rejects.toMatchObject({ code: "bad_request" });
});

test("a disk without space refuses before anything is written", async () => {
  const { url } = await serveImages({ "/a": file(content) });
  const place = await stage();
  const staged = await StagedFile.open(place.received, null, { fileBytes: 16 * MiB, reserveBytes: 2 ** 60 });
  onTestFinished(() => staged.close());
  const report = { progress() {}, log() {} };
  const context = { meter: new TransferMeter(report, "", [0, 1]), report, signal: new AbortController().signal };
  const rules = { allowedHosts: [new URL(url).host], answerTimeoutMs: 5000, stallTimeoutMs: 5000 };
  await expect(download(new URL(`${url}/a`), staged, place.state, { ...context, rules })).rejects.toMatchObject({
    code: "insufficient_capacity",
  });
  expect(staged.bytes).toBe(0);
});

test("who cancels waits for nothing", async () => {
  const abort = new AbortController();
  const { url } = await serveImages({
    "/a": (_, response) => response.write(content.subarray(0, MiB), () => abort.abort(new Error("enough"))),
  });
  await expect(fetch(`${url}/a`, await stage(), { signal: abort.signal })).rejects.toThrow("enough");
});
