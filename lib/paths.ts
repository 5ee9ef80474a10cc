import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of Cumulus' own package.json, also when this module runs from a bundle further down. */
function findProjectDir(from: string): string {
  for (let dir = from; dir !== dirname(dir); dir = dirname(dir)) {
    const manifest = join(dir, "package.json");
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name === "cumulus") return dir;
  }
  throw new Error(`No package.json of Cumulus above ${from}: run Cumulus from its own checkout.`);
}

/** The root of the checkout: where files that are not code (migrations, guest scripts) are read from. */
export const projectDir: string = findProjectDir(dirname(fileURLToPath(import.meta.url)));
