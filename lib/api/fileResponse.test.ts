import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { fileResponse } from "./fileResponse";

test.each([
  ["web-1.tar", 'attachment; filename="web-1.tar"'],
  [`it's "q".txt`, `attachment; filename="it-s-q-.txt"; filename*=UTF-8''it%27s%20%22q%22.txt`],
  ["größe.log", `attachment; filename="gr-e.log"; filename*=UTF-8''gr%C3%B6%C3%9Fe.log`],
  ["a\nb", `attachment; filename="a-b"; filename*=UTF-8''a%0Ab`],
])("a file is saved as %j", (name, header) => {
  const { headers } = fileResponse({ status: 200, headers: {}, body: Readable.from([]) }, name);
  expect(headers.get("content-disposition")).toBe(header);
});
