import { toBase64 } from "../../lib/domain/base64";
import { type FileContent, maxFileBytes } from "../../lib/domain/fileContent";
import { formatBytes } from "../../lib/domain/units";

/** Reads a file of one's own computer. @throws Error that says why it can't be taken */
export async function readContent(file: File): Promise<FileContent> {
  if (file.size > maxFileBytes) {
    const most = formatBytes(maxFileBytes);
    throw new Error(`${file.name} is larger than ${most}, the most that a file here may have.`);
  }
  const bytes = await file.arrayBuffer().catch((cause: unknown) => {
    throw new Error(`${file.name} can't be read: choose it again.`, { cause });
  });
  return contentOf(new Uint8Array(bytes));
}

/**
 * Text where the bytes are UTF-8 without NUL, which can be written on; base64 otherwise, and where lines end with CR, of which a text area keeps
 * none. Either way byte for byte. Pure.
 */
export function contentOf(bytes: Uint8Array): FileContent {
  const asBytes = { content: toBase64(bytes), encoding: "base64" } as const;
  if (bytes.includes(0) || bytes.includes(13)) return asBytes;
  try {
    // A mark of the byte order is the file's, too.
    return { content: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return asBytes;
  }
}
