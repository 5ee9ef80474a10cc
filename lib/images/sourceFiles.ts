import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { projectDir } from "../paths";

/** Regular files below `dir`, as paths, sorted. */
export function filesUnder(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/**
 * A hash over our own files that decide what an image holds: while it stays the same, the image needs no new build.
 * @param start what else decides, such as the architecture
 */
export function hashOfSources(start: string, files: string[]): string {
  const hash = createHash("sha256").update(start);
  for (const file of files.filter((name) => !/\.test(Kit)?\.ts$/.test(name))) {
    const content = readFileSync(file);
    hash.update(`\0${relative(projectDir, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}
