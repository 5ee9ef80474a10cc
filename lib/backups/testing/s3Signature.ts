import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Access keys that a store knows, with their secrets. */
export type S3Secrets = ReadonlyMap<string, string>;

export interface S3Refusal {
  status: number;
  code: string;
  message: string;
}

const unknownKey: S3Refusal = {
  status: 403,
  code: "InvalidAccessKeyId",
  message: "The AWS Access Key Id you provided does not exist in our records.",
};
const wrongSignature: S3Refusal = {
  status: 403,
  code: "SignatureDoesNotMatch",
  message:
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
};
const wrongContent: S3Refusal = {
  status: 400,
  code: "XAmzContentSHA256Mismatch",
  message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
};

/**
 * Why a store refuses a request by how it is signed; null: it is signed as it should be. AWS Signature Version 4 in the Authorization header
 * (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html), with the body's hash, with chunks that are signed one by one
 * (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html), or with a body that isn't signed.
 */
export function refusalOf(request: IncomingMessage, body: Buffer, secrets: S3Secrets): S3Refusal | null {
  const [, accessKey = "", scope = "", names = "", signature = ""] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\S+?),\s*SignedHeaders=(\S+?),\s*Signature=(\w+)$/.exec(
      request.headers.authorization ?? "",
    ) ?? [];
  const secret = secrets.get(accessKey);
  if (secret === undefined) return unknownKey;
  const key = scope.split("/").reduce<string | Buffer>((parent, part) => hmac(parent, part).digest(), `AWS4${secret}`);
  const stamp = `${request.headers["x-amz-date"]}\n${scope}`;
  const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${sha256(canonicalRequest(request, names.split(";")))}`;
  if (hmac(key, toSign).digest("hex") !== signature) return wrongSignature;

  const content = request.headers["x-amz-content-sha256"];
  if (content === "UNSIGNED-PAYLOAD") return null;
  if (content !== signedChunks) return content === sha256(body) ? null : wrongContent;
  let previous = signature;
  for (const chunk of chunksOf(body)) {
    const hashes = `${previous}\n${sha256("")}\n${sha256(chunk.data)}`;
    previous = hmac(key, `AWS4-HMAC-SHA256-PAYLOAD\n${stamp}\n${hashes}`).digest("hex");
    if (previous !== chunk.signature) return wrongSignature;
  }
  return null;
}

/** What a body holds, whether it came in signed chunks or plain. */
export function contentOf(request: IncomingMessage, body: Buffer): Buffer {
  const isChunked = request.headers["x-amz-content-sha256"] === signedChunks;
  return isChunked ? Buffer.concat(chunksOf(body).map(({ data }) => data)) : body;
}

/** What stands in the place of the body's hash when it comes in such chunks. */
const signedChunks = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

/** Each is a line with its length and its signature, and its data; the last one is empty. */
function chunksOf(body: Buffer): { data: Buffer; signature: string }[] {
  const chunks: { data: Buffer; signature: string }[] = [];
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf("\r\n", at);
    const [size = "", signature = ""] = body.toString("latin1", at, end).split(";chunk-signature=");
    const start = end + 2;
    const data = body.subarray(start, start + Number.parseInt(size, 16));
    chunks.push({ data, signature });
    at = start + data.length + 2;
  }
  return chunks;
}

function canonicalRequest({ method, url, headers }: IncomingMessage, names: string[]): string {
  const { pathname, searchParams } = new URL(url ?? "/", "http://s3");
  const path = pathname.split("/").map((part) => encode(decodeURIComponent(part)));
  const query = [...searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort();
  const signed = names.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, " ")}\n`);
  const content = headers["x-amz-content-sha256"];
  return [method, path.join("/"), query.join("&"), signed.join(""), names.join(";"), content].join("\n");
}

/** All but letters, digits and `-._~`, which is more than JavaScript encodes. */
function encode(text: string): string {
  const hex = (sign: string) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text).replace(/[!'()*]/g, hex);
}

function hmac(key: string | Buffer, text: string) {
  return createHmac("sha256", key).update(text);
}

function sha256(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
