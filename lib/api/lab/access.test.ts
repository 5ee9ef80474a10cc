import { expect, test } from "vitest";
import { whyTokenIsNeeded } from "./access";

const loopback = { isLab: true, host: "127.0.0.1" };
const at = (host: string, more: Record<string, string> = {}) => new Headers({ host, ...more });

test("lab mode on loopback, with guests that can't reach that, needs no token", () => {
  for (const [bound, host] of [
    ["127.0.0.1", "localhost:5000"],
    ["127.0.0.1", "127.0.0.1:5000"],
    ["::1", "[::1]:5000"],
  ] as const) {
    expect(whyTokenIsNeeded({ isLab: true, host: bound }, "bridge", at(host))).toBeNull();
  }
});

test("what Next.js says of a connection from this machine is no proxy's word", () => {
  for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
    expect(whyTokenIsNeeded(loopback, "bridge", at("localhost:5000", { "x-forwarded-for": address }))).toBeNull();
  }
});

test.each([
  ["without lab mode", { ...loopback, isLab: false }, "bridge", at("localhost:5000")],
  ["bound to all addresses", { ...loopback, host: "0.0.0.0" }, "bridge", at("localhost:5000")],
  ["bound to an address of a network", { ...loopback, host: "192.168.1.5" }, "bridge", at("192.168.1.5:5000")],
  ["by another name", loopback, "bridge", at("cloud.example:5000")],
  ["without a name", loopback, "bridge", new Headers()],
  ["through a proxy", loopback, "bridge", at("localhost:5000", { "x-forwarded-for": "203.0.113.9" })],
  ["through two", loopback, "bridge", at("localhost:5000", { "x-forwarded-for": "203.0.113.9, 127.0.0.1" })],
  ["through one that says it otherwise", loopback, "bridge", at("localhost:5000", { forwarded: "for=203.0.113.9" })],
  ["where guests reach loopback", loopback, "user", at("localhost:5000")],
  ["while nobody knows what guests reach", loopback, undefined, at("localhost:5000")],
] as const)("%s it needs one", (_what, settings, driver, headers) => {
  expect(whyTokenIsNeeded(settings, driver, headers)).toEqual(expect.any(String));
});
