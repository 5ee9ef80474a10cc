import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { contentOf, refusalOf } from "./s3Signature";

const secrets = new Map([["AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"]]);
const others = new Map([["AKIAIOSFODNN7EXAMPLE", "another"]]);
const date = "20130524T000000Z";

function request(method: string, url: string, signature: string, headers: Record<string, string>) {
  const names = Object.keys(headers).sort().join(";");
  const credential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=${names},Signature=${signature}`;
  return { method, url, headers: { ...headers, authorization } } as unknown as IncomingMessage;
}

test("AWS's example of a request with the hash of its body is signed as it should be, and not with another secret", () => {
  const get = request("GET", "/test.txt", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", {
    host: "examplebucket.s3.amazonaws.com",
    range: "bytes=0-9",
    "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "x-amz-date": date,
  });
  const nothing = Buffer.alloc(0);
  expect(refusalOf(get, nothing, secrets)).toBeNull();
  expect(refusalOf(get, nothing, others)?.code).toBe("SignatureDoesNotMatch");
  expect(refusalOf(get, nothing, new Map())?.code).toBe("InvalidAccessKeyId");
  expect(refusalOf(get, Buffer.from("more"), secrets)?.code).toBe("XAmzContentSHA256Mismatch");
});

test("AWS's example of a body in signed chunks is signed as it should be, and no longer when one byte is another", () => {
  const put = request(
    "PUT",
    "/examplebucket/chunkObject.txt",
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    {
      "content-encoding": "aws-chunked",
      "content-length": "66824",
      host: "s3.amazonaws.com",
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "x-amz-date": date,
      "x-amz-decoded-content-length": "66560",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
    },
  );
  const chunks = [
    [65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"],
    [1_024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"],
    [0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"],
  ] as const;
  const text = chunks.map(
    ([size, signature]) => `${size.toString(16)};chunk-signature=${signature}\r\n${"a".repeat(size)}\r\n`,
  );
  const body = Buffer.from(text.join(""));
  expect(body.length).toBe(66_824);
  expect(refusalOf(put, body, secrets)).toBeNull();
  expect(contentOf(put, body).toString()).toBe("a".repeat(66_560));
  body[66_000] = "b".charCodeAt(0);
  expect(refusalOf(put, body, secrets)?.code).toBe("SignatureDoesNotMatch");
});
