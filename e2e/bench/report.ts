import { type Figure, isMet, ratioOf, type Skipped, type Target, type Unit } from "./benchmark";
import type { Sample } from "./stats";

const headings = ["", "value", "baseline", "ratio", "target", "met"];

/** The figures as an aligned table, a line for each; those that were skipped follow with the reason. */
export function tableOf(results: readonly (Figure | Skipped)[]): string {
  const figures = results.filter((result): result is Figure => "value" in result);
  const rows = figures.map((figure) => [
    figure.name,
    sampleText(figure.value, figure.unit),
    figure.baseline ? `${sampleText(figure.baseline.value, figure.unit)} ${figure.baseline.what}` : "–",
    ratioText(figure),
    figure.target ? targetText(figure.target, figure.unit) : "–",
    { true: "yes", false: "NO", undefined: "–" }[String(isMet(figure)) as "true" | "false" | "undefined"],
  ]);
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lineOf = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const skipped = results.flatMap((result) =>
    "skipped" in result ? [`${result.name}: skipped. ${result.skipped}`] : [],
  );
  return [lineOf(headings), ...rows.map(lineOf), ...skipped].join("\n");
}

/** The figures for other programs: the samples as measured, with ratio and verdict. */
export function jsonOf(results: readonly (Figure | Skipped)[]): object[] {
  return results.map((result) =>
    "skipped" in result ? result : { ...result, ratio: ratioOf(result) ?? null, isMet: isMet(result) ?? null },
  );
}

/** `4.21 s (4.05–4.60)`: the median and, of several measurements, the quartiles. */
function sampleText({ median, low, high, count }: Sample, unit: Unit): string {
  const spread = count > 1 ? ` (${numberText(low)}–${numberText(high)})` : "";
  return `${numberText(median)} ${unit}${spread}`;
}

function ratioText(figure: Figure): string {
  const ratio = ratioOf(figure);
  return ratio === undefined ? "–" : numberText(ratio);
}

function targetText(target: Target, unit: Unit): string {
  const [sign, limit] =
    "atMost" in target ? ["≤", target.atMost] : "atLeast" in target ? ["≥", target.atLeast] : [">", target.above];
  const rounded = Number(limit.toFixed(2));
  return target.of === "value" ? `${sign} ${rounded} ${unit}` : `ratio ${sign} ${rounded}`;
}

/** Three digits that count, and no more than two after the point. */
function numberText(value: number): string {
  const decimals = Math.min(2, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1))));
  return value.toFixed(decimals);
}
