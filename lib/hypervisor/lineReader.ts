import { StringDecoder } from "node:string_decoder";

/** Cuts a byte stream into lines of text. A line longer than the cap ends it: `push` answers false. */
export class LineReader {
  private readonly decoder = new StringDecoder("utf8");
  private rest = "";

  constructor(
    private readonly maxLineLength: number,
    private readonly onLine: (line: string) => void,
  ) {}

  push(chunk: Buffer): boolean {
    const lines = (this.rest + this.decoder.write(chunk)).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      const text = line.endsWith("\r") ? line.slice(0, -1) : line;
      if (text !== "") this.onLine(text);
    }
    return this.rest.length <= this.maxLineLength;
  }
}
