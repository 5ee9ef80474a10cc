import { betterAuth } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { magicLink, username } from "better-auth/plugins";
import * as authSchema from "../db/authSchema";
import type { Database } from "../db/client";
import type { Settings } from "../env";
import { isAllowedHost } from "./allowedHosts";

/** Header in which our HTTP server, and nobody else, says where a request came from: the login limiter's key. */
export const clientAddressHeader = "x-cumulus-client";

export const administrator = { username: "admin", email: "admin@cumulus.invalid" } as const;

export const passwordLength = { min: 10, max: 128 } as const;

/** A first-run link is good for a day, and once. */
const signInLinkSeconds = 24 * 3600;

/** Requests of better-auth that are open to browsers; all its others are answered 404 (lib/auth/handler.ts). */
export const openAuthPaths: Partial<Record<string, "GET" | "POST">> = {
  "/sign-in/username": "POST",
  "/sign-out": "POST",
  "/magic-link/verify": "GET",
  "/get-session": "GET",
};

/**
 * Sessions and passwords, by better-auth on Cumulus' own database; the sign-in limiter's counts lie there too, so that restarting or running several
 * consoles doesn't lift it.
 */
export function createAuth(db: Database, settings: Settings, secret: string) {
  return betterAuth({
    secret,
    baseURL: `http://${hostForUrl(settings.host)}:${settings.port}`,
    basePath: "/api/auth",
    database: drizzleAdapter(db, { provider: "pg", schema: authSchema }),
    trustedOrigins: (request) => originOf(request, settings),
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: passwordLength.min,
      maxPasswordLength: passwordLength.max,
    },
    session: { expiresIn: 30 * 24 * 3600, updateAge: 24 * 3600 },
    rateLimit: {
      enabled: true,
      storage: "database",
      window: 60,
      max: 300,
      customRules: { "/sign-in/username": { window: 60, max: 10 }, "/magic-link/verify": { window: 60, max: 10 } },
    },
    advanced: { ipAddress: { ipAddressHeaders: [clientAddressHeader] }, cookiePrefix: "cumulus" },
    telemetry: { enabled: false },
    plugins: [
      username(),
      magicLink({
        expiresIn: signInLinkSeconds,
        disableSignUp: true,
        storeToken: "hashed",
        // A link is not sent: the one who asks for it gets it (lib/auth/account.ts).
        sendMagicLink: ({ url, metadata }) => (metadata as LinkMetadata).deliver(url),
      }),
    ],
  });
}

/** How a first-run link comes back to the one who asked for it. */
export interface LinkMetadata extends Record<string, unknown> {
  deliver(url: string): void;
}

export type Auth = ReturnType<typeof createAuth>;

/** An address that a browser on this machine can open: one that is bound everywhere is reached by loopback. */
export function hostForUrl(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/** The page's own origin, whichever of this machine's names it was opened by. */
function originOf(request: Request | undefined, settings: Settings): string[] {
  const host = request?.headers.get("host") ?? undefined;
  if (!host || !isAllowedHost(host, settings)) return [];
  return [`http://${host}`, `https://${host}`];
}
