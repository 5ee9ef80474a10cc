import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

/**
 * What on a page keeps people from using it, each with where it is.
 * @param rules those of axe's that are asked; all of them when not given
 */
export async function seriousViolations(page: Page, rules?: string[]): Promise<string[]> {
  // Our pages have no frames, for which axe would open a page of its own each time.
  const axe = new AxeBuilder({ page }).setLegacyMode();
  const { violations } = await (rules ? axe.withRules(rules) : axe).analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}
