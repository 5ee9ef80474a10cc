import { expect, test } from "vitest";
import { isProxied } from "./proxied";

test.each(["via", "forwarded", "x-real-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"])(
  "%s is a proxy's word, whatever it says",
  (name) => {
    expect(isProxied({ host: "localhost", [name]: "127.0.0.1" })).toBe(true);
  },
);

test("what programs and browsers send themselves is none", () => {
  expect(isProxied({ host: "localhost", accept: "*/*", "user-agent": "curl/8", "x-requested-with": "fetch" })).toBe(
    false,
  );
});
