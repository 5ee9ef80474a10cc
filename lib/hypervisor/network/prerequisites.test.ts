import { expect, test } from "vitest";
import { chooseDriver } from "./prerequisites";

const runDir = "/run/cumulus/one";
const unprivileged = { kind: "own" as const, userOf: () => null };

test("a host that is asked to has user-mode networks, whatever it could have", async () => {
  const privileged = { kind: "per-machine" as const, userOf: () => null };
  expect(await chooseDriver({ network: "user", runDir }, privileged)).toMatchObject({ driver: "user" });
});

test.each(["auto", "bridge"] as const)(
  "an agent that is no root can have no bridges, and says why (%s)",
  async (network) => {
    expect(await chooseDriver({ network, runDir }, unprivileged)).toEqual({
      driver: "user",
      reason: expect.stringMatching(/root|Linux/),
    });
  },
);
