import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const stuck = `#!/bin/sh
for path; do :; done
[ -e "$path" ] || exit 0
echo "rm: cannot remove '$path': Directory not empty" >&2
exit 1
`;

/** Does something while rm(1) removes nothing that there is, as where somebody makes files all the while. */
export async function whileFoldersAreStuck<T>(act: () => Promise<T>): Promise<T> {
  const { PATH } = process.env;
  const folder = await mkdtemp(join(tmpdir(), "stuck-"));
  try {
    await writeFile(join(folder, "rm"), stuck, { mode: 0o755 });
    process.env.PATH = [folder, PATH].join(delimiter);
    return await act();
  } finally {
    process.env.PATH = PATH;
    await rm(folder, { recursive: true, force: true });
  }
}
