import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { contentOf, refusalOf, type S3Refusal } from "./s3Signature";

type Mood =
  | "well"
  /** Takes requests and answers none. */
  | "deaf"
  /** Answers everything with a page, as a network does that wants a sign-in first. */
  | "portal"
  /** Says that it has kept what it has not. */
  | "forgetful"
  /** Keeps what is large otherwise than it was given, and says nothing of it. */
  | "spoiling"
  /** Refuses each request with this. */
  | S3Refusal;

export interface S3Server {
  endpoint: string;
  /** The access keys that may do everything, with their secrets. */
  secrets: Map<string, string>;
  /** Those that requests came with. */
  accessKeys: Set<string>;
  objects: Map<string, Buffer>;
  /** How it answers from now on. */
  mood: Mood;
  close(): Promise<void>;
}

/**
 * As much of Amazon's S3 interface ("Amazon S3 API Reference") as a client needs that stores, reads, lists and deletes objects of one bucket, in
 * memory. It refuses what isn't signed with a secret that it knows.
 */
export async function startS3Server(): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  const accessKeys = new Set<string>();
  const secrets = new Map<string, string>();
  const self = { secrets, accessKeys, objects, mood: "well" as Mood };
  const server = createServer((request, response) => {
    const accessKey = /Credential=([^/]+)\//.exec(request.headers.authorization ?? "")?.[1];
    if (accessKey) accessKeys.add(accessKey);
    const { mood } = self;
    if (mood === "deaf") return;
    if (mood === "portal") sendPage(request, response);
    else if (mood === "forgetful" && request.method === "PUT") response.end();
    else if (typeof mood === "object") refuse(mood, request, response);
    else void answerSigned(self, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(self, {
    endpoint: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

function sendPage(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/html" });
  response.end(request.method === "HEAD" ? undefined : "<html><body>Welcome! Sign in first.</body></html>");
}

function refuse({ status, code, message }: S3Refusal, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(status, { "content-type": "application/xml" });
  response.end(
    request.method === "HEAD" ? undefined : `<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  );
}

const largeBytes = 100_000;

/** The bytes as a failing disk would give them back: a part of them is lost. */
function spoilt(body: Buffer): Buffer {
  return body.length < largeBytes ? body : Buffer.from(body).fill(0, 100, 5_000);
}

async function answerSigned(
  { objects, secrets, mood }: Pick<S3Server, "objects" | "secrets" | "mood">,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bodyOf(request);
  const refusal = refusalOf(request, body, secrets);
  if (refusal !== null) return refuse(refusal, request, response);
  const content = contentOf(request, body);
  answer(objects, request, response, { content, kept: mood === "spoiling" ? spoilt(content) : content });
}

/** @param put the body that was given, and what is kept of it */
function answer(
  objects: Map<string, Buffer>,
  request: IncomingMessage,
  response: ServerResponse,
  put: { content: Buffer; kept: Buffer },
): void {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://s3");
  const key = decodeURIComponent(pathname.slice(1));
  const isBucket = !key.replace(/\/$/, "").includes("/");
  if (request.method === "PUT") {
    objects.set(key, put.kept);
    response.writeHead(200, { etag: etagOf(put.content) }).end();
  } else if (request.method === "DELETE") {
    objects.delete(key);
    response.writeHead(204).end();
  } else if (isBucket) {
    const bucket = key.replace(/\/$/, "");
    xml(
      response,
      searchParams.has("location") ? locationXml : listXml(objects, bucket, searchParams.get("prefix") ?? ""),
    );
  } else {
    sendObject(objects.get(key), request, response);
  }
}

function sendObject(body: Buffer | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (body === undefined) {
    response.writeHead(404, { "content-type": "application/xml" });
    response.end("<Error><Code>NoSuchKey</Code><Message>key does not exist</Message></Error>");
    return;
  }
  const [, first = "0", last = ""] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "") ?? [];
  const part = body.subarray(Number(first), last === "" ? undefined : Number(last) + 1);
  response.writeHead(request.headers.range ? 206 : 200, {
    etag: etagOf(body),
    "content-length": part.length,
    "content-range": `bytes ${first}-${Number(first) + part.length - 1}/${body.length}`,
    "last-modified": new Date(0).toUTCString(),
  });
  response.end(request.method === "HEAD" ? undefined : part);
}

const locationXml = "<LocationConstraint>us-east-1</LocationConstraint>";

function listXml(objects: Map<string, Buffer>, bucket: string, prefix: string): string {
  const contents = [...objects]
    .filter(([key]) => key.startsWith(`${bucket}/${prefix}`))
    .map(
      ([key, body]) =>
        `<Contents><Key>${key.slice(bucket.length + 1)}</Key><Size>${body.length}</Size><ETag>${etagOf(body)}</ETag><LastModified>1970-01-01T00:00:00.000Z</LastModified></Contents>`,
    );
  return `<ListBucketResult><Name>${bucket}</Name><IsTruncated>false</IsTruncated>${contents.join("")}</ListBucketResult>`;
}

function xml(response: ServerResponse, text: string): void {
  response.writeHead(200, { "content-type": "application/xml" }).end(text);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function etagOf(body: Buffer): string {
  return `"${createHash("md5").update(body).digest("hex")}"`;
}
