import * as z from "zod";
import { parseBytes } from "./units";

/** A size in a request: bytes as a number, or text such as `"512M"` or `"10G"` (binary). Parsed to bytes. */
export const byteSizeSchema = z
  .union([z.number().int().positive(), z.string().max(32)])
  .transform((value, context) => {
    const bytes = typeof value === "number" ? value : parseBytes(value);
    if (bytes === undefined || !Number.isSafeInteger(bytes)) {
      context.addIssue({ code: "custom", message: 'Give a size such as "512M", "10G" or a number of bytes.' });
      return z.NEVER;
    }
    return bytes;
  })
  .meta({ description: 'Bytes, or text with a binary unit: "512M", "10G".' });
