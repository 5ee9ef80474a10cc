import { expect, test } from "vitest";
import { proxiedHeader } from "../../auth/proxied";
import { whyTokenIsNeeded } from "./access";

const loopback = { isLab: true, host: "127.0.0.1" };
const at = (host: string, more: Record<string, string> = {}) => new Headers({ host, [proxiedHeader]: "no", ...more });

test("lab mode on loopback, with guests that can't reach that, needs no token", () => {
  for (const [bound, host] of [
    ["127.0.0.1", "localhost:5000"],
    ["127.0.0.1", "127.0.0.1:5000"],
    ["::1", "[::1]:5000"],
  ] as const) {
    expect(whyTokenIsNeeded({ isLab: true, host: bound }, null, at(host))).toBeNull();
  }
});

test("a browser's own requests, and what Next.js says of the connection, are from here", () => {
  const known: Record<string, string>[] = [
    { "sec-fetch-site": "none" },
    { "sec-fetch-site": "same-origin" },
    { "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "localhost:5000" },
  ];
  for (const more of known) {
    expect(whyTokenIsNeeded(loopback, null, at("localhost:5000", more))).toBeNull();
  }
});

test.each([
  ["without lab mode", { ...loopback, isLab: false }, null, at("localhost:5000")],
  ["bound to all addresses", { ...loopback, host: "0.0.0.0" }, null, at("localhost:5000")],
  ["bound to an address of a network", { ...loopback, host: "192.168.1.5" }, null, at("192.168.1.5:5000")],
  ["by another name", loopback, null, at("cloud.example:5000")],
  ["without a name", loopback, null, new Headers()],
  ["through a proxy", loopback, null, at("localhost:5000", { [proxiedHeader]: "yes" })],
  ["while nobody says whether it came through one", loopback, null, new Headers({ host: "localhost:5000" })],
  ["from a page of another site", loopback, null, at("localhost:5000", { "sec-fetch-site": "cross-site" })],
  ["from a page of another port", loopback, null, at("localhost:5000", { "sec-fetch-site": "same-site" })],
  ["where guests reach loopback", loopback, "A guest reaches it.", at("localhost:5000")],
] as const)("%s it needs one", (_what, settings, whyReached, headers) => {
  expect(whyTokenIsNeeded(settings, whyReached, headers)).toEqual(expect.any(String));
});
