import { eq, sql } from "drizzle-orm";
import type { Actor } from "../control/context";
import type { Database } from "../db/client";
import { apiTokens } from "../db/schema/api";
import type { Auth } from "./auth";
import { isSameSecret, type Secrets, sha256Hex } from "./secrets";

export interface Authentication {
  actor: Actor;
  /** A cookie is sent by the browser unasked: what it authenticates must prove that it comes from our own pages. */
  by: "session" | "token";
}

/** Who a request is from, by `Authorization: Bearer TOKEN` or the session cookie; null without valid credentials. */
export async function authenticate(
  deps: { db: Database; auth: Auth; secrets: Secrets },
  headers: Headers,
): Promise<Authentication | null> {
  const authorization = headers.get("authorization");
  if (authorization !== null) {
    const token = /^Bearer +(\S{1,200})$/i.exec(authorization)?.[1];
    const name = token === undefined ? null : await tokenName(deps, token);
    return name === null ? null : { actor: { kind: "token", name }, by: "token" };
  }
  if (!headers.get("cookie")) return null;
  const session = await deps.auth.api.getSession({ headers });
  if (!session) return null;
  return { actor: { kind: "user", name: session.user.username ?? session.user.name }, by: "session" };
}

async function tokenName(deps: { db: Database; secrets: Secrets }, token: string): Promise<string | null> {
  if (isSameSecret(token, deps.secrets.adminToken)) return "admin-token";
  const [row] = await deps.db
    .select()
    .from(apiTokens)
    .where(eq(apiTokens.hash, sha256Hex(token)));
  if (!row) return null;
  const isUseNoted = row.lastUsedAt !== null && Date.now() - row.lastUsedAt.getTime() < 60_000;
  if (!isUseNoted) await deps.db.update(apiTokens).set({ lastUsedAt: sql`now()` }).where(eq(apiTokens.id, row.id));
  return row.name;
}
