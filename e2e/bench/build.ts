import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { projectDir } from "../../lib/paths";

/** Bundles the console and the agent and builds the pages, unless that is done: what is measured is what `npm run up` runs. */
export async function buildWhatIsMeasured(): Promise<void> {
  const script = (name: string) => pathToFileURL(join(projectDir, "scripts", "setup", name)).href;
  const { bundle }: { bundle(names: string[]): Promise<void> } = await import(script("bundle.mjs"));
  const { buildApp }: { buildApp(): Promise<void> } = await import(script("appBuild.mjs"));
  await bundle(["console", "agent"]);
  await buildApp();
}
