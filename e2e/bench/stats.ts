/** A quantity that was measured several times: its median, and the quartiles as its spread. */
export interface Sample {
  median: number;
  low: number;
  high: number;
  count: number;
}

/** @param values at least one */
export function sampleOf(values: readonly number[]): Sample {
  return {
    median: quantile(values, 0.5),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
    count: values.length,
  };
}

/** The value below which a share of the values lies; between two neighbours it is interpolated (Hyndman & Fan, type 7). */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) throw new Error("There is no quantile of no values.");
  return below + (above - below) * (position - Math.floor(position));
}

/** How long something takes. */
export async function timedMs(act: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await act();
  return performance.now() - startMs;
}
