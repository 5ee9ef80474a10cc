import { toBase64 } from "../domain/base64";

/** A key pair as OpenSSH keeps it. */
export interface SshKeyPair {
  /** One line of authorized_keys. */
  publicKey: string;
  /** The text of the private key's file, without a passphrase. */
  privateKey: string;
}

const keyType = "ssh-ed25519";
const blockBytes = 8;
const base64LineLength = 70;

/** Why this browser can't make keys, as a sentence; undefined when it can try. Web Crypto exists in secure contexts only. */
export function keygenProblem(): string | undefined {
  return globalThis.crypto?.subtle
    ? undefined
    : "Browsers make keys only on https or on localhost. Run ssh-keygen -t ed25519 and paste the .pub file instead.";
}

/**
 * Makes an Ed25519 key pair; the private key leaves the browser only as the file that the caller offers.
 * @param comment ends the public line and stands in the private file: a name to know the key by
 * @throws {Error} when the browser knows no Ed25519
 */
export async function generateSshKey(comment: string): Promise<SshKeyPair> {
  const algorithm = { name: "Ed25519" };
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]).catch((error: unknown) => {
    throw new Error("This browser can't make Ed25519 keys. Run ssh-keygen -t ed25519 and paste the .pub file.", {
      cause: error,
    });
  });
  if (!("privateKey" in pair)) throw new Error("The browser made no key pair.");
  const publicBytes = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  // The seed is the last 32 bytes of the PKCS #8 structure (RFC 8410, section 7).
  const seed = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey)).slice(-32);
  const publicBlob = concat(text(keyType), string(publicBytes));
  return {
    publicKey: `${keyType} ${toBase64(publicBlob)} ${comment}`,
    privateKey: privateKeyFile(publicBlob, publicBytes, seed, comment),
  };
}

/** OpenSSH's PROTOCOL.key, with cipher and key derivation "none". */
function privateKeyFile(publicBlob: Uint8Array, publicBytes: Uint8Array, seed: Uint8Array, comment: string): string {
  const check = crypto.getRandomValues(new Uint8Array(4));
  const body = concat(
    check,
    check,
    text(keyType),
    string(publicBytes),
    string(concat(seed, publicBytes)),
    text(comment),
  );
  const padding = Uint8Array.from({ length: (blockBytes - (body.length % blockBytes)) % blockBytes }, (_, i) => i + 1);
  const file = concat(
    new TextEncoder().encode("openssh-key-v1\0"),
    text("none"),
    text("none"),
    text(""),
    uint32(1),
    string(publicBlob),
    string(concat(body, padding)),
  );
  const lines = toBase64(file).match(new RegExp(`.{1,${base64LineLength}}`, "g")) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** SSH's `string`: length, then bytes (RFC 4251, section 5). */
function string(bytes: Uint8Array): Uint8Array {
  return concat(uint32(bytes.length), bytes);
}

function text(value: string): Uint8Array {
  return string(new TextEncoder().encode(value));
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
