import type { FirstBootProblem, FirstBootStage } from "../../domain/firstBootReport";

export type CloudInitSign =
  | { stage: FirstBootStage }
  | { isFinished: true }
  | { warning: FirstBootProblem }
  | { error: FirstBootProblem };

/** What precedes cloud-init's own words on the console: perhaps a login prompt, the kernel's clock, and the unit's name. */
const prefix = /^.*?cloud-init\[\d+\]: /;

const stageNames: Record<string, FirstBootStage> = {
  "init-local": "local",
  init: "init",
  "modules:config": "config",
  "modules:final": "final",
};

/** A module's failure is told with what was said shortly before: that is most often its reason. */
const recentLines = 12;

/**
 * Reads what cloud-init says on the console: a line at the begin of each stage, its log from WARNING on, and the output of what it runs. A module
 * complains first and fails then, so complaints are told when the stage is over and none of what failed.
 */
export class CloudInitConsole {
  private recent: string[] = [];
  private complaints: FirstBootProblem[] = [];

  /** @param line of the console, whoever said it */
  read(line: string): CloudInitSign[] {
    const text = line.replace(prefix, "").trim();
    const banner = /^Cloud-init v\. \S+ (?:running '([^']+)'|finished) at /.exec(text);
    if (banner) return this.readBanner(banner[1]);
    if (!prefix.test(line) || text === "") return [];
    const [, source = "", message = text] =
      /^[\d-]+ [\d:,]+ - (\w+)\.py\[(?:WARNING|ERROR|CRITICAL)\]: (.*)$/.exec(text) ?? [];
    this.recent = [...this.recent, message].slice(-recentLines);
    if (source === "") return [];
    const failed = /^(?:Running module ([\w-]+) .*failed|Failed to run module ([\w-]+))/.exec(message);
    const module = failed?.[1] ?? failed?.[2];
    if (module !== undefined) return [{ error: { module: moduleOf(module), lines: this.forget() } }];
    if (!isDeprecation(message)) this.complaints.push({ module: moduleOf(source), lines: [message] });
    return [];
  }

  private readBanner(running: string | undefined): CloudInitSign[] {
    const warnings = this.complaints.map((warning) => ({ warning }));
    this.forget();
    if (running === undefined) return [...warnings, { isFinished: true }];
    const stage = stageNames[running];
    return stage ? [...warnings, { stage }] : warnings;
  }

  /** @returns what was said since the last time */
  private forget(): string[] {
    const lines = this.recent;
    this.recent = [];
    this.complaints = [];
    return lines;
  }
}

/** Old ways of saying something, which still work: later versions don't call them warnings any more. */
function isDeprecation(message: string): boolean {
  return /^(?:DEPRECATED|Deprecated cloud-config)/.test(message);
}

/** A module's name as cloud-config users know it: "cc_scripts_user" and "scripts-user" are "scripts_user". What is no module is cloud-init's own. */
export function moduleOf(source: string): string {
  const name = source.replaceAll("-", "_").replace(/^cc_/, "");
  return ["util", "log_util", "main", "stages", "helpers", "handlers"].includes(name) ? "cloud_init" : name;
}
