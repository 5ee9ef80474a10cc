import { expect, test } from "vitest";
import { chooseDriver } from "./prerequisites";

const runDir = "/run/cumulus/one";
const unprivileged = { kind: "own" as const, userOf: () => null };

test("a host that is asked to has user-mode networks, whatever it could have", async () => {
  const privileged = { kind: "per-machine" as const, userOf: () => null };
  expect(await chooseDriver({ network: "user", runDir }, privileged)).toMatchObject({ driver: "user" });
});

test.each([
  ["auto", /^Bridges .*(?:root|Linux)/],
  ["bridge", /^CUMULUS_NETWORK asks for bridges, in vain\. Bridges .*(?:root|Linux)/],
] as const)("an agent that is no root can have no bridges, and says why (%s)", async (network, reason) => {
  const choice = await chooseDriver({ network, runDir }, unprivileged);
  expect(choice).toEqual({ driver: "user", reason: expect.stringMatching(reason) });
});
