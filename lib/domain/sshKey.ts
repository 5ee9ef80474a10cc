import * as z from "zod";
import { lineSchema } from "./humanText";

const keyTypes = [
  "ssh-ed25519",
  "ssh-rsa",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
];

/**
 * Why a text is no public key line of authorized_keys (sshd(8), AUTHORIZED_KEYS FILE FORMAT), without options; undefined when it is one.
 * The blob must name the same type as the line (RFC 4253, section 6.6).
 */
export function sshPublicKeyProblem(text: string): string | undefined {
  if (/PRIVATE KEY/.test(text)) return "This is a private key. Paste the public one: the line in the .pub file.";
  if (/[\r\n\0]/.test(text)) return "A public key is one line.";
  const [type = "", blob = ""] = text.trim().split(/\s+/);
  if (!keyTypes.includes(type)) return `A public key starts with its type, such as ssh-ed25519 or ssh-rsa.`;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(blob) || blob.length % 4 !== 0) return "The part after the type is not base64.";
  const bytes = Uint8Array.from(atob(blob), (character) => character.charCodeAt(0));
  const length = bytes.length < 4 ? -1 : new DataView(bytes.buffer).getUint32(0);
  const named = length > 0 && length < 64 ? new TextDecoder().decode(bytes.subarray(4, 4 + length)) : "";
  if (named !== type || bytes.length < 4 + length + 32) return `The key is cut off or not of type ${type}.`;
  return undefined;
}

/** One line of authorized_keys: type, base64, comment. */
export const sshPublicKeySchema = z
  .string()
  .trim()
  .max(16_384)
  .superRefine((text, context) => {
    const problem = sshPublicKeyProblem(text);
    if (problem) context.addIssue({ code: "custom", message: problem });
  })
  .meta({ description: "An OpenSSH public key: one line of authorized_keys without options." });

export const sshKeyNameSchema = lineSchema(64, "Give the key a name.");

export const createSshKeySchema = z.strictObject({ name: sshKeyNameSchema, publicKey: sshPublicKeySchema });

export const sshKeySchema = z
  .object({
    id: z.number().int(),
    name: z.string(),
    publicKey: z.string(),
    /** `SHA256:…` as `ssh-keygen -l` prints it. */
    fingerprint: z.string(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "SshKey" });
export type SshKey = z.infer<typeof sshKeySchema>;
