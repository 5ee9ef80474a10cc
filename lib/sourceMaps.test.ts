import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { execa } from "execa";
import { expect, test } from "vitest";
import { projectDir } from "./paths";

const source = `import { mapStackTraces } from "./lib/sourceMaps";

interface Unused { gone: true }
mapStackTraces();
function fails(): never {
  throw new TypeError("on purpose");
}
try {
  fails();
} catch (error) {
  console.log((error as Error).stack);
}
`;

test("a trace names the source's lines, or the bundle's where the map is gone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "source-maps-"));
  try {
    const outfile = join(folder, "program.mjs");
    await build({
      stdin: { contents: source, sourcefile: "program.ts", resolveDir: projectDir, loader: "ts" },
      ...{ outfile, bundle: true, platform: "node", format: "esm", sourcemap: true },
    });
    const mapped = (await execa(process.execPath, [outfile])).stdout;
    expect(mapped).toMatch(/^TypeError: on purpose\n {4}at fails \(.*program\.ts:6:9\)\n {4}at .*program\.ts:9:\d+/);
    await rm(`${outfile}.map`);
    expect((await execa(process.execPath, [outfile])).stdout).toMatch(/at fails \(.*program\.mjs:\d+:\d+\)/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
