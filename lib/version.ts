import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "./paths";

/** The version in package.json. */
export const cumulusVersion: string = JSON.parse(readFileSync(join(projectDir, "package.json"), "utf8")).version;
