import { z } from "zod";
import type { GuestAgent } from "./guestAgent";

const handleSchema = z.number();
const partSchema = z.object({ "buf-b64": z.string(), eof: z.boolean() });

/** The beginning of a file in the guest, as text. Rejects with `GuestAgentError`. */
export async function readGuestFile(agent: GuestAgent, path: string, maxBytes: number): Promise<string> {
  const handle = handleSchema.parse(await agent.ask("guest-file-open", { path, mode: "r" }));
  try {
    const parts: Buffer[] = [];
    for (let bytes = 0; bytes < maxBytes; ) {
      const part = partSchema.parse(await agent.ask("guest-file-read", { handle, count: maxBytes - bytes }));
      const chunk = Buffer.from(part["buf-b64"], "base64");
      parts.push(chunk);
      bytes += chunk.length;
      if (part.eof || chunk.length === 0) break;
    }
    return Buffer.concat(parts).toString("utf8");
  } finally {
    // The guest closes it at its next boot in any case.
    await agent.ask("guest-file-close", { handle }).catch(() => undefined);
  }
}
