/** What the reports of a run say. */
export interface Outcome {
  passed: number;
  /** Of each test that failed its file, its name and its reason. */
  failures: string[];
}

export function outcomeOfVitest(report: object): Outcome;
export function outcomeOfPlaywright(report: object): Outcome;
