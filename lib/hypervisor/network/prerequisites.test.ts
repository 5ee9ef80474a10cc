import { expect, test } from "vitest";
import { chooseDriver } from "./prerequisites";

const unprivileged = { kind: "own" as const, userOf: () => null };

test("a host has user-mode networks unless bridges are asked for", async () => {
  expect(await chooseDriver("user", unprivileged)).toMatchObject({ driver: "user" });
  expect(await chooseDriver("auto", unprivileged)).toMatchObject({ driver: "user" });
});

test("an agent that is no root can have no bridges, and says why", async () => {
  expect(await chooseDriver("bridge", unprivileged)).toEqual({
    driver: "user",
    reason: expect.stringMatching(/root|Linux/),
  });
});
