import { expect, test } from "vitest";
import { whyNotWatched } from "./userfaultfd";

test.each([
  ["the agent may change the setting", "0", true],
  ["everybody may watch", "1", false],
])("busy guests run on while their memory is written where %s", (_where, setting, mayChange) => {
  expect(whyNotWatched(setting, mayChange)).toBeNull();
});

test.each([
  ["the setting is off and stays so", "0", /run as root|sysctl -w vm\.unprivileged_userfaultfd=1/i],
  ["there is no such setting", null, /this system lacks/],
])("they stand still, and what can be done is said, where %s", (_where, setting, what) => {
  const why = whyNotWatched(setting, false);
  expect(why).toMatch(/stops a guest that changes its memory faster than that is copied until all of it is written/);
  expect(why).toMatch(what);
});
