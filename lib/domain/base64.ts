/** Arguments of one call: engines take some 100,000. */
const chunkBytes = 8192;

/** Bytes as base64 (RFC 4648, section 4), padded and in one line. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
    text += String.fromCharCode(...bytes.subarray(offset, offset + chunkBytes));
  }
  return btoa(text);
}
