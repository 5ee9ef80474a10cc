import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { type CatalogueEntry, catalogueSchema } from "../../domain/catalogue";
import { CumulusError, messageOf } from "../../domain/errors";
import { projectDir } from "../../paths";

/** The data file that people extend. It is read anew each time, so that a change needs no restart. */
const catalogueFile = join(projectDir, "lib", "images", "catalogue", "catalogue.yaml");

/** The images that may be added, in the file's order. Throws `internal` with a sentence that names the place when the file isn't right. */
export async function readCatalogue(file: string = catalogueFile): Promise<CatalogueEntry[]> {
  const parsed = catalogueSchema.safeParse(parseYaml(file, await readFile(file, "utf8")));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw notUsable(file, `${issue?.path.join(".")}: ${issue?.message}`);
}

/** The entry of that id. Throws `not_found`. */
export async function findCatalogueEntry(id: string, file?: string): Promise<CatalogueEntry> {
  const entry = (await readCatalogue(file)).find((entry) => entry.id === id);
  if (entry) return entry;
  throw new CumulusError("not_found", `The catalogue has no image ${id}: choose one that it lists.`);
}

function parseYaml(file: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw notUsable(file, messageOf(error));
  }
}

function notUsable(file: string, why: string): CumulusError {
  return new CumulusError(
    "internal",
    `The catalogue ${file} can't be used: ${why.replace(/\.$/, "")}. Correct the file and try again.`,
  );
}
