import type { Sample } from "./stats";

export type Unit = "s" | "ms" | "1/s" | "MiB" | "MiB/s" | "kB" | "%";

/** What a figure is held against: its value, or its ratio to the baseline (value ÷ baseline). */
export type Target = { of: "value" | "ratio" } & ({ atMost: number } | { atLeast: number } | { above: number });

/** One measured number, and what to compare it with. */
export interface Figure {
  name: string;
  unit: Unit;
  value: Sample;
  /** Measured in the same run, alternating with the value where both take the same machine's time. */
  baseline?: { what: string; value: Sample };
  /** Left out for a figure that explains another one. */
  target?: Target;
}

/** Why a figure can't be measured on this computer, and what would help. */
export interface Skipped {
  name: string;
  skipped: string;
}

export interface Benchmark {
  /** The argument of `npm run bench` that chooses it. */
  name: string;
  /** A sentence on what is measured and how. */
  what: string;
  /** @param note says what is going on, for who waits */
  measure(note: (text: string) => void): Promise<(Figure | Skipped)[]>;
}

export function ratioOf(figure: Figure): number | undefined {
  return figure.baseline && figure.value.median / figure.baseline.value.median;
}

/** Undefined for a figure without a target. */
export function isMet({ target, ...figure }: Figure): boolean | undefined {
  if (!target) return undefined;
  const measured = target.of === "value" ? figure.value.median : ratioOf(figure);
  if (measured === undefined) throw new Error(`${figure.name} has a target for its ratio and no baseline.`);
  if ("atMost" in target) return measured <= target.atMost;
  return "atLeast" in target ? measured >= target.atLeast : measured > target.above;
}
