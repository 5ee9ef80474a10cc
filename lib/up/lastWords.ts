import { z } from "zod";

const lineSchema = z.object({
  level: z.number(),
  msg: z.string().optional(),
  err: z.object({ message: z.string() }).optional(),
});
/** pino's number for `error`. */
const errorLevel = 50;

/** What a process said last about why it failed, from its log: JSON lines, and whatever else it wrote to stderr. */
export function lastWords(log: string): string {
  const lines = log.split("\n").filter((line) => line.trim() !== "");
  const told = lines.flatMap((line) => {
    const entry = parse(line);
    return entry && entry.level >= errorLevel ? [entry.err?.message ?? entry.msg ?? ""] : [];
  });
  // A crash of Node.js: "TypeError: …" at the start of a line, then its stack.
  const thrown = lines.filter((line) => /^(Uncaught )?\w*Error\b.*: /.test(line));
  return (told.at(-1) ?? thrown.at(-1) ?? lines.filter((line) => !parse(line)).at(-1) ?? "").replace(/\.$/, "");
}

function parse(line: string): z.infer<typeof lineSchema> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return lineSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
