import * as z from "zod";
import { loginUserSchema } from "./image";

/** The stages of cloud-init in their order (cloud-init, "Boot stages"): `init` brings up the network, `final` runs packages and scripts. */
export const firstBootStages = ["local", "init", "config", "final"] as const;
export const firstBootStageSchema = z.enum(firstBootStages).meta({ id: "FirstBootStage" });
export type FirstBootStage = z.infer<typeof firstBootStageSchema>;

/** A module of the first boot that complained or failed, with what the guest said about it. */
export const firstBootProblemSchema = z
  .object({ module: z.string(), lines: z.array(z.string()) })
  .meta({ id: "FirstBootProblem" });
export type FirstBootProblem = z.infer<typeof firstBootProblemSchema>;

/** How a guest sets itself up, as it tells on its serial port and through its agent. */
export const firstBootReportSchema = z.object({
  /** When each stage began. */
  stages: z.partialRecord(firstBootStageSchema, z.iso.datetime()),
  warnings: z.array(firstBootProblemSchema),
  errors: z.array(firstBootProblemSchema),
  /** Whom the guest says that it gave SSH keys, in its order; absent until it does. */
  keyUsers: z.array(loginUserSchema).optional(),
});
export type FirstBootReport = z.infer<typeof firstBootReportSchema>;

export const emptyFirstBootReport: FirstBootReport = { stages: {}, warnings: [], errors: [] };

/** A guest says as much as it likes; of that, this much is kept. */
const limits = { problems: 20, lines: 20, lineCharacters: 500, keyUsers: 40 };

/** The report with a problem more. Lines that its module is known by already are not repeated. */
export function withProblem(
  report: FirstBootReport,
  level: "warnings" | "errors",
  problem: FirstBootProblem,
): FirstBootReport {
  const known = report[level].find(({ module }) => module === problem.module);
  if (!known && report[level].length >= limits.problems) return report;
  const before = known?.lines ?? [];
  const added = problem.lines
    .map((line) => line.slice(0, limits.lineCharacters))
    .filter((line) => !before.includes(line));
  if (known && added.length === 0) return report;
  const merged = { module: problem.module, lines: [...before, ...added].slice(0, limits.lines) };
  const others = report[level].filter((each) => each !== known);
  // What it complained of before it failed is among the lines of the failure.
  const warnings = report.warnings.filter(({ module }) => module !== problem.module);
  return { ...report, ...(level === "errors" && { warnings }), [level]: [...others, merged] };
}

/** The report with a stage that has begun; the earliest time that was told stays. */
export function withStage(report: FirstBootReport, stage: FirstBootStage, at: string): FirstBootReport {
  const known = report.stages[stage];
  if (known !== undefined && known <= at) return report;
  return { ...report, stages: { ...report.stages, [stage]: at } };
}

/** The report with a user more who has SSH keys. What is no user's name is not taken: it would stand in command lines that people paste. */
export function withKeyUser(report: FirstBootReport, name: string): FirstBootReport {
  const known = report.keyUsers ?? [];
  const isNews = loginUserSchema.safeParse(name).success && !known.includes(name) && known.length < limits.keyUsers;
  return isNews ? { ...report, keyUsers: [...known, name] } : report;
}

/** What failed, as a sentence; null when nothing did. */
export function firstBootFailure({ errors }: FirstBootReport): string | null {
  const [first, ...others] = errors;
  if (!first) return null;
  const [reason, ...more] = first.lines;
  // Several lines are a log, of which no single one is the reason.
  if (others.length === 0 && reason !== undefined && more.length === 0) return `${first.module} failed: ${reason}`;
  return `${listWithAnd(errors.map(({ module }) => module))} failed. The timeline has what was said.`;
}

function listWithAnd(words: string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
