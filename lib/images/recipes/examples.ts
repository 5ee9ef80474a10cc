import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Recipe, recipeSchema } from "../../domain/recipe";
import { projectDir } from "../../paths";

const folder = join(projectDir, "lib", "images", "recipes", "examples");

/** The recipes that come with Cumulus, to begin one's own from: `examples/*.json`, by name. */
export function exampleRecipes(): Recipe[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return files.sort().map((name) => recipeSchema.parse(JSON.parse(readFileSync(join(folder, name), "utf8"))));
}
