import { encrypt } from "unixcrypt";

/** The SHA-512-crypt hash of a password (crypt(5): "$6$…") with a salt of its own: what systems keep in /etc/shadow, and what is kept here. */
export function hashPassword(password: string): string {
  return encrypt(password);
}
