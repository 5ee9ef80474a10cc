import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";

const maps = new Map<string, SourceMap | null>();

/**
 * Lets stack traces name the sources, as `--enable-source-maps` does, but reads a file's map only when an error's trace leads through it: Node.js would
 * hold the maps of every file that was loaded, 80 MB in the console.
 */
export function mapStackTraces(): void {
  Error.prepareStackTrace = (error, frames) =>
    [Error.prototype.toString.call(error), ...frames.map((frame) => `    at ${mappedFrame(frame)}`)].join("\n");
}

function mappedFrame(frame: NodeJS.CallSite): string {
  const said = frame.toString();
  const [file, line, column] = [frame.getFileName(), frame.getLineNumber(), frame.getColumnNumber()];
  if (!file || line === null || column === null) return said;
  const origin = mapOf(file)?.findOrigin(line, column);
  if (!origin || !("fileName" in origin)) return said;
  return said.replace(`${file}:${line}:${column}`, `${origin.fileName}:${origin.lineNumber}:${origin.columnNumber}`);
}

/** Null where the file has none that can be read. */
function mapOf(file: string): SourceMap | null {
  const known = maps.get(file);
  if (known !== undefined) return known;
  let map: SourceMap | null = null;
  try {
    map = new SourceMap(
      JSON.parse(readFileSync(`${file.startsWith("file:") ? fileURLToPath(file) : file}.map`, "utf8")),
    );
  } catch {
    // A trace without its sources is better than none.
  }
  maps.set(file, map);
  return map;
}
