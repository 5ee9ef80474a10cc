import { randomUUID } from "node:crypto";
import { and, eq } from "drizzle-orm";
import { account, user } from "../db/authSchema";
import type { Database } from "../db/client";
import { CumulusError } from "../domain/errors";
import { type Auth, administrator, type LinkMetadata, passwordLength } from "./auth";

/** Whether the administrator has still to set a password: then `up` prints a sign-in link. */
export async function needsSetup(db: Database): Promise<boolean> {
  const [row] = await db
    .select({ id: account.id })
    .from(account)
    .innerJoin(user, eq(user.id, account.userId))
    .where(and(eq(user.username, administrator.username), eq(account.providerId, "credential")));
  return row === undefined;
}

/** Makes the administrator's account at the first start; it has no password yet. */
export async function ensureAdministrator(db: Database): Promise<void> {
  const { username, email } = administrator;
  await db
    .insert(user)
    .values({ id: randomUUID(), name: username, username, displayUsername: username, email, emailVerified: true })
    .onConflictDoNothing();
}

/**
 * A link that signs the administrator in, once.
 * @param resetPassword forget the present password, so that a new one is asked for: who can read the admin token may
 */
export async function makeSignInLink(
  deps: { db: Database; auth: Auth },
  headers: Headers,
  resetPassword: boolean,
): Promise<string> {
  if (resetPassword) await deps.db.delete(account).where(eq(account.providerId, "credential"));
  let url: string | undefined;
  const metadata: LinkMetadata = {
    deliver: (made) => {
      url = made;
    },
  };
  const { email } = administrator;
  await deps.auth.api.signInMagicLink({
    body: { email, metadata },
    headers,
  });
  const token = url && new URL(url).searchParams.get("token");
  if (!url || !token) throw new CumulusError("internal", "The sign-in link could not be made.");
  return new URL(`/sign-in/${token}`, url).href;
}

/** Where a one-time link signs in: better-auth's own request, which then leads on to the welcome page. */
export function signInPath(token: string): string {
  const query = new URLSearchParams({ token, callbackURL: "/welcome", errorCallbackURL: "/sign-in?error=link" });
  return `/api/auth/magic-link/verify?${query}`;
}

/** Sets the first password, or changes it with the present one. @throws `bad_request` with the field */
export async function setPassword(
  deps: { db: Database; auth: Auth },
  headers: Headers,
  input: { newPassword: string; currentPassword?: string | undefined },
): Promise<void> {
  const { newPassword, currentPassword } = input;
  if (newPassword.length < passwordLength.min) {
    const message = `A password has at least ${passwordLength.min} characters.`;
    throw new CumulusError("bad_request", message, { fields: { newPassword: message } });
  }
  if (await needsSetup(deps.db)) {
    await deps.auth.api.setPassword({ body: { newPassword }, headers });
    return;
  }
  if (!currentPassword) {
    const message = "Give your present password too.";
    throw new CumulusError("bad_request", message, { fields: { currentPassword: message } });
  }
  try {
    await deps.auth.api.changePassword({ body: { newPassword, currentPassword, revokeOtherSessions: true }, headers });
  } catch (error) {
    if (!(error instanceof Error) || !/password/i.test(error.message)) throw error;
    const message = "The present password is not right.";
    throw new CumulusError("bad_request", message, { fields: { currentPassword: message }, cause: error });
  }
}
