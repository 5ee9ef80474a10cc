import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "./paths";

const folder = join(projectDir, "docs");

export interface Guide {
  /** As `/docs/NAME` and `docs/NAME.md` call it. */
  name: string;
  /** Its first heading. */
  title: string;
  /** Markdown. */
  source: string;
}

/**
 * The guides of the checkout, as they are now. Who looks one up by a name from outside looks it up here, so that no name becomes a path of
 * another file.
 */
export function readGuides(): Guide[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => entry.name.slice(0, -".md".length))
    .sort()
    .map(readGuide);
}

function readGuide(name: string): Guide {
  const source = readFileSync(join(folder, `${name}.md`), "utf8");
  return { name, title: /^# (.+)$/m.exec(source)?.[1] ?? name, source };
}
