import { z } from "zod";
import { type FirstBootReport, type FirstBootStage, withProblem, withStage } from "../../domain/firstBootReport";
import { parseJson } from "../../system/json";
import { moduleOf } from "./cloudInitConsole";

/** Where cloud-init keeps how far it is (cloud-init, "Reported status"). */
export const cloudInitStatusFile = "/run/cloud-init/status.json";

/** Seconds since the epoch by the guest's clock; null: not yet. Until the year 2100, so that a time can be made of it. */
const momentSchema = z.number().min(0).max(4_102_444_800).nullable().optional();

const stageStatusSchema = z.object({
  start: momentSchema,
  finished: momentSchema,
  errors: z.array(z.string()).optional(),
  recoverable_errors: z.record(z.string(), z.array(z.string())).optional(),
});
type StageStatus = z.infer<typeof stageStatusSchema>;

const statusSchema = z.object({
  v1: z.object({
    "init-local": stageStatusSchema.optional(),
    init: stageStatusSchema.optional(),
    "modules-config": stageStatusSchema.optional(),
    "modules-final": stageStatusSchema.optional(),
  }),
});

export interface CloudInitStatus {
  stages: { stage: FirstBootStage; status: StageStatus }[];
  isFinished: boolean;
}

/** What `status.json` says; undefined for a text that is none, such as one that is being written. */
export function parseCloudInitStatus(text: string): CloudInitStatus | undefined {
  const v1 = statusSchema.safeParse(parseJson(text)).data?.v1;
  if (!v1) return undefined;
  const all: [FirstBootStage, StageStatus | undefined][] = [
    ["local", v1["init-local"]],
    ["init", v1.init],
    ["config", v1["modules-config"]],
    ["final", v1["modules-final"]],
  ];
  return {
    stages: all.flatMap(([stage, status]) => (status ? [{ stage, status }] : [])),
    isFinished: typeof v1["modules-final"]?.finished === "number",
  };
}

/** The report with what the status adds to it. Times that the console told are kept: a guest's clock may be wrong. */
export function withCloudInitStatus(report: FirstBootReport, { stages }: CloudInitStatus): FirstBootReport {
  return stages.reduce((before, { stage, status }) => {
    const { start, errors = [], recoverable_errors: recoverable = {} } = status;
    const isNewStage = typeof start === "number" && before.stages[stage] === undefined;
    const withTime = isNewStage ? withStage(before, stage, new Date(start * 1000).toISOString()) : before;
    const withErrors = errors.reduce((each, text) => withFailure(each, stage, text), withTime);
    return (recoverable.WARNING ?? []).reduce(
      (each, text) => withProblem(each, "warnings", { module: "cloud_init", lines: [text] }),
      withErrors,
    );
  }, report);
}

/** A failure as cloud-init writes it: Python's text of a module's name and its exception. Lines that the console told of the module are better. */
function withFailure(report: FirstBootReport, stage: FirstBootStage, text: string): FirstBootReport {
  const pair = /^\('([\w-]+)', (.*)\)$/s.exec(text);
  const module = pair ? moduleOf(pair[1] ?? "") : `cloud_init ${stage}`;
  if (report.errors.some((error) => error.module === module)) return report;
  return withProblem(report, "errors", { module, lines: (pair?.[2] ?? text).split("\n") });
}
