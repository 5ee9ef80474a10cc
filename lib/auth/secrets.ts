import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathsOf, type Settings } from "../env";

/** What `up` made at the first start: the administrator's API token, and the key that signs session cookies. */
export interface Secrets {
  adminToken: string;
  authSecret: string;
}

/** @throws when a file is missing or empty: then `up` has not run */
export function readSecrets(settings: Pick<Settings, "dataDir" | "runDir">): Secrets {
  const paths = pathsOf(settings);
  const [adminToken, authSecret] = [paths.adminToken, paths.authSecret].map((path) =>
    readFileSync(path, "utf8").trim(),
  );
  if (!adminToken || !authSecret) throw new Error(`${paths.adminToken} or ${paths.authSecret} is empty.`);
  return { adminToken, authSecret };
}

export function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Whether two secrets are the same, in a time that doesn't tell where they differ. */
export function isSameSecret(a: string, b: string): boolean {
  return timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest());
}
