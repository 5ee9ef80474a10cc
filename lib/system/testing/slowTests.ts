import { test } from "vitest";

/** `CUMULUS_SLOW_TESTS=1` runs all tests. Without it those are left out that take minutes and look at what others come near to. */
export const runsSlowTests = process.env.CUMULUS_SLOW_TESTS === "1";

/** A test that is run with `CUMULUS_SLOW_TESTS=1` alone. */
export const slowTest = test.runIf(runsSlowTests);

/**
 * Of the acts in which code comes to each place one, and with `CUMULUS_SLOW_TESTS=1` all: an act that goes another way to the same place takes as long
 * as the first, and seldom finds more. Every place is walked in any case, and so is every act: a place takes the act that the ones before it took least.
 * @param actsOf by place
 */
export function chosenCases<Place extends string, Act>(actsOf: Record<Place, readonly Act[]>): [Place, Act][] {
  const cases = Object.entries<readonly Act[]>(actsOf) as [Place, readonly Act[]][];
  if (runsSlowTests) return cases.flatMap(([place, acts]) => acts.map((act): [Place, Act] => [place, act]));
  const times = new Map<Act, number>();
  const chosen = cases.flatMap(([place, acts]): [Place, Act][] => {
    const [act] = [...acts].sort((a, b) => (times.get(a) ?? 0) - (times.get(b) ?? 0));
    if (act === undefined) return [];
    times.set(act, (times.get(act) ?? 0) + 1);
    return [[place, act]];
  });
  // Acts to which others left no place.
  for (const [place, acts] of cases) {
    for (const act of acts.filter((one) => !times.has(one))) {
      times.set(act, 1);
      chosen.push([place, act]);
    }
  }
  return chosen;
}
