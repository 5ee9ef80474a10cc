import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { type Catalogue, type CatalogueEntry, catalogueSchema } from "../../domain/catalogue";
import { CumulusError, messageOf } from "../../domain/errors";
import type { pathsOf } from "../../env";
import { projectDir } from "../../paths";

/** The data file that ships. */
const shippedFile = join(projectDir, "lib", "images", "catalogue", "catalogue.yaml");

type Paths = Pick<ReturnType<typeof pathsOf>, "catalogue">;

/**
 * The images that may be added: those of the file that ships, and of the administrator's own `catalogue.d/*.yaml` by name, each of which may replace entries of
 * those before. Own files that aren't right are told, and passed over. All are read anew each time, so that a change needs no restart.
 */
export async function readCatalogue({ catalogue }: Paths): Promise<Catalogue> {
  const entries = new Map<string, CatalogueEntry>();
  const problems: string[] = [];
  const add = async (file: string) => {
    for (const entry of await readCatalogueFile(file)) entries.set(entry.id, entry);
  };
  await add(shippedFile);
  for (const file of await ownFiles(catalogue)) await add(file).catch((error) => problems.push(messageOf(error)));
  return { entries: [...entries.values()], problems };
}

/** The entries of a file, in its order. Throws `internal` with a sentence that names the place when the file isn't right. */
export async function readCatalogueFile(file: string): Promise<CatalogueEntry[]> {
  const parsed = catalogueSchema.safeParse(await readYaml(file));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw notUsable(file, `${issue?.path.join(".")}: ${issue?.message}`);
}

/** The entry of that id. Throws `not_found`. */
export async function findCatalogueEntry(id: string, paths: Paths): Promise<CatalogueEntry> {
  const entry = (await readCatalogue(paths)).entries.find((entry) => entry.id === id);
  if (entry) return entry;
  throw new CumulusError("not_found", `The catalogue has no image ${id}: choose one that it lists.`);
}

/** None where nobody has made the folder. */
async function ownFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .map((name) => join(folder, name));
}

async function readYaml(file: string): Promise<unknown> {
  try {
    return parse(await readFile(file, "utf8"));
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
