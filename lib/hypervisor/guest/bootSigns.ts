import type { TimelineStep } from "../../domain/timeline";
import { LineReader } from "../lineReader";

export type BootSign =
  | { step: Extract<TimelineStep, "kernel" | "network" | "first-boot"> }
  | { firstBootError: string };

/**
 * What guests say on their serial port of how far they are: the built-in image in words of its own ("cumulus: …"), Linux by its kernel
 * log, distributions by cloud-init (its summary table of addresses and its last line).
 */
const signs: { pattern: RegExp; step: "kernel" | "network" | "first-boot" }[] = [
  { pattern: /Linux version \d|cumulus: kernel|\[ {3,5}\d\.\d{6}\]/, step: "kernel" },
  { pattern: /cumulus: network up|ci-info: \| *(?:eth|en)\w* *\| *True/, step: "network" },
  { pattern: /cumulus: (?:first boot|boot) done|Cloud-init v\. \S+ finished at/, step: "first-boot" },
];
const failure = /cumulus: first boot failed: *(.{0,500})/;

const maxLineLength = 4096;

/** The signs in a line. Pure. */
export function bootSignsIn(line: string): BootSign[] {
  const found: BootSign[] = signs.filter(({ pattern }) => pattern.test(line)).map(({ step }) => ({ step }));
  const why = failure.exec(line)?.[1];
  return why === undefined ? found : [...found, { firstBootError: why.trim() }];
}

/** Reads signs from a serial port's bytes, cut anywhere. */
export class BootSignReader {
  private lines = this.freshLines();

  constructor(private readonly onSign: (sign: BootSign) => void) {}

  push(chunk: Buffer): void {
    // A line without an end is no news: drop it and begin anew.
    if (!this.lines.push(chunk)) this.lines = this.freshLines();
  }

  private freshLines(): LineReader {
    return new LineReader(maxLineLength, (line) => {
      for (const sign of bootSignsIn(line)) this.onSign(sign);
    });
  }
}
