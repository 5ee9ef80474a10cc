import { expect, test } from "vitest";
import { isSameOrigin } from "./origin";

test.each([
  ["http://127.0.0.1:3000", "127.0.0.1:3000"],
  ["https://cloud.example", "cloud.example"],
  ["https://cloud.example", "cloud.example:443"],
  ["http://[::1]:3000", "[::1]:3000"],
  ["http://LOCALHOST:3000", "localhost:3000"],
])("%s is the origin of %s", (origin, host) => expect(isSameOrigin(origin, host)).toBe(true));

test.each([
  [undefined, "127.0.0.1:3000"],
  ["http://127.0.0.1:3000", undefined],
  ["null", "null"],
  ["", ""],
  ["http://127.0.0.1:3001", "127.0.0.1:3000"],
  ["http://evil.example", "cloud.example"],
  ["http://cloud.example.evil.example", "cloud.example"],
  ["file://127.0.0.1:3000", "127.0.0.1:3000"],
  ["chrome-extension://cloud.example", "cloud.example"],
])("%s is not the origin of %s", (origin, host) => expect(isSameOrigin(origin, host)).toBe(false));
