import * as z from "zod";
import { formatBytes } from "./units";

/** The most that one file put into a guest, or into an image by a recipe, may have. */
export const maxFileBytes = 256 * 1024;

const tooLarge = `A file has ${formatBytes(maxFileBytes)} at the most.`;

/** RFC 4648, section 4, in the one way to write some bytes: padded, no bits left over, no line ends. */
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;

const encodingSchema = z.enum(["utf8", "base64"]);

/** The bytes of a file, as JSON can hold them. Spread it into a schema, and give that `refuseBadContent`. */
export const fileContentShape = {
  content: z
    .string()
    .max(base64Length(maxFileBytes), tooLarge)
    .meta({ description: `Text, or any bytes as base64, as \`encoding\` says; ${formatBytes(maxFileBytes)} of them.` }),
  encoding: encodingSchema.optional().meta({
    description: "`utf8` when not given. `base64` (`base64 < FILE | tr -d '\\n'`) holds any bytes, NUL too.",
  }),
};
export type FileContent = { content: string; encoding?: z.infer<typeof encodingSchema> | undefined };

/** A refinement: what is wrong with the content, at its field. */
export function refuseBadContent(file: FileContent, context: z.core.$RefinementCtx): void {
  const message = contentProblem(file);
  if (message !== undefined) context.addIssue({ code: "custom", path: ["content"], message });
}

function contentProblem(file: FileContent): string | undefined {
  if (file.encoding === "base64" && !base64.test(file.content)) {
    return "This is not base64: give it padded, without line ends or blanks, as `base64 < FILE | tr -d '\\n'` writes it.";
  }
  return contentBytes(file) > maxFileBytes ? tooLarge : undefined;
}

/** How many bytes the file has. Of base64 that is none, a number without meaning. */
export function contentBytes({ content, encoding }: FileContent): number {
  if (encoding !== "base64") return new TextEncoder().encode(content).length;
  return (content.length / 4) * 3 - (/=*$/.exec(content)?.[0].length ?? 0);
}

/** "binary, 12.3 KiB": what stands for bytes that are no text. */
export function binaryWords(file: FileContent): string {
  return `binary, ${formatBytes(contentBytes(file))}`;
}

function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}
