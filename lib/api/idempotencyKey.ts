import { CumulusError } from "../domain/errors";

/** The request's Idempotency-Key; null when it has none. @throws `bad_request` */
export function idempotencyKeyOf(request: Request): string | null {
  const key = request.headers.get("idempotency-key");
  if (key === null || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new CumulusError("bad_request", "An Idempotency-Key has 1 to 255 printable characters without spaces.");
}
