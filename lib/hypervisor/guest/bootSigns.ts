import type { FirstBootProblem, FirstBootStage } from "../../domain/firstBootReport";
import type { TimelineStep } from "../../domain/timeline";
import { LineReader } from "../lineReader";
import { CloudInitConsole } from "./cloudInitConsole";

export type BootSign =
  | { step: Extract<TimelineStep, "kernel" | "network" | "first-boot"> }
  | { stage: FirstBootStage }
  | { warning: FirstBootProblem }
  | { error: FirstBootProblem }
  | { keyUser: string };

/**
 * What guests say on their serial port of how far they are: the built-in image in words of its own ("cumulus: …"), Linux by its kernel
 * log, distributions by cloud-init (its summary table of addresses, and what CloudInitConsole reads).
 */
const signs: { pattern: RegExp; step: "kernel" | "network" | "first-boot" }[] = [
  { pattern: /Linux version \d|cumulus: kernel|\[ {3,5}\d\.\d{6}\]/, step: "kernel" },
  { pattern: /cumulus: network up|ci-info: \| *(?:eth|en)\w* *\| *True/, step: "network" },
  { pattern: /cumulus: (?:first boot|boot) done/, step: "first-boot" },
];
/** "first boot failed: MODULE: REASON", "note: MODULE: WHAT". */
const told = /cumulus: (first boot failed|note): *([^:]{1,60}): *(.{0,500})/;

/** The heading of cloud-init's table of a user's keys (cloud-init, module "SSH AuthKey Fingerprints"). */
const keysOf = /ci-info: \+*Authorized keys from \S+ for user ([a-z_][a-z0-9_-]*)\+*\s*$/;

const maxLineLength = 4096;

/** Reads signs from a serial port's bytes, cut anywhere. */
export class BootSignReader {
  private lines = this.freshLines();
  private cloudInit = new CloudInitConsole();

  constructor(private readonly onSign: (sign: BootSign) => void) {}

  push(chunk: Buffer): void {
    // A line without an end is no news: drop it and begin anew.
    if (!this.lines.push(chunk)) this.lines = this.freshLines();
  }

  private freshLines(): LineReader {
    return new LineReader(maxLineLength, (line) => {
      for (const sign of this.signsIn(line)) this.onSign(sign);
    });
  }

  private signsIn(line: string): BootSign[] {
    const steps = signs.filter(({ pattern }) => pattern.test(line)).map(({ step }) => ({ step }));
    const cloudInit = this.cloudInit
      .read(line)
      .map((sign): BootSign => ("isFinished" in sign ? { step: "first-boot" } : sign));
    return [...steps, ...problemIn(line), ...keyUserIn(line), ...cloudInit];
  }
}

function keyUserIn(line: string): BootSign[] {
  const keyUser = keysOf.exec(line)?.[1];
  return keyUser === undefined ? [] : [{ keyUser }];
}

function problemIn(line: string): BootSign[] {
  const [, kind, module = "", text = ""] = told.exec(line) ?? [];
  if (kind === undefined) return [];
  const problem = { module: module.trim(), lines: [text.trim()] };
  return [kind === "note" ? { warning: problem } : { error: problem }];
}
