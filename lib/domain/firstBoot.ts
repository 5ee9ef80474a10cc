import * as z from "zod";
import { sshKeyNameSchema, sshPublicKeySchema } from "./sshKey";

/** A Linux user's name (useradd(8)). */
export const userNameSchema = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}$/, "Use 1–32 lower-case letters, digits, dashes or underscores, a letter first.")
  .refine((name) => name !== "root", "root is there already: give it a password or keys by themselves.");

/** As it is typed at the login. Only its SHA-512-crypt hash is kept. */
export const guestPasswordSchema = z
  .string()
  .min(1, "Give a password.")
  .max(128, "At most 128 characters.")
  .regex(/^[^\p{Cc}]*$/u, "A password has no control characters.")
  .meta({ format: "password" });

/** A name of the time zone database: "Europe/Berlin", "UTC". */
export const timezoneSchema = z
  .string()
  .max(64)
  .superRefine((name, context) => {
    const problem = timezoneProblem(name);
    if (problem) context.addIssue({ code: "custom", message: problem });
  });

function timezoneProblem(name: string): string | undefined {
  const none = 'There is no such time zone. Give a name such as "Europe/Berlin" or "UTC".';
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/.test(name)) return none;
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
    // A guest looks for a file of that name, and tells small letters from capital ones.
    const isOtherCase = timeZone !== name && timeZone.toLowerCase() === name.toLowerCase();
    return isOtherCase ? `Write it "${timeZone}".` : undefined;
  } catch {
    return none;
  }
}

/** "de_DE.UTF-8", "C.UTF-8". */
export const localeSchema = z
  .string()
  .max(40)
  .regex(/^([a-z]{2,3}(_[A-Z]{2})?|C|POSIX)(\.[A-Za-z0-9-]+)?(@[a-z]+)?$/, 'Give a locale such as "en_US.UTF-8".');

/** A package as the image's package manager names it. */
export const packageNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9@][A-Za-z0-9+._:~=-]{0,127}$/, "A package name has letters, digits and + . _ : ~ = - only.");

/** A user whom the first boot makes, beside the image's own. */
export const guestUserSchema = z.strictObject({
  name: userNameSchema,
  sudo: z
    .boolean()
    .default(false)
    .meta({ description: "May become root by sudo, without being asked for a password." }),
  sshKeys: z
    .array(z.union([sshPublicKeySchema, sshKeyNameSchema]))
    .max(64)
    .default([])
    .meta({ description: "Names of saved keys, or whole public keys." }),
  password: guestPasswordSchema.optional().meta({ description: "For the console: SSH takes keys." }),
});

/** What `POST /api/vms` takes of the first boot. User data wins where it says the same. */
export const firstBootInputSchema = z.strictObject({
  password: guestPasswordSchema.optional().meta({
    description:
      "Of the user whom the system has by default, or of root where that is the image's login user. For the console: SSH takes keys.",
  }),
  users: z
    .array(guestUserSchema)
    .max(32)
    .refine((users) => new Set(users.map(({ name }) => name)).size === users.length, "Two users have the same name.")
    .optional()
    .meta({ description: "Whom the first boot makes, beside the system's own." }),
  timezone: timezoneSchema.optional().meta({ description: 'Such as "Europe/Berlin".' }),
  locale: localeSchema.optional().meta({ description: 'Such as "en_US.UTF-8".' }),
  packages: z
    .array(packageNameSchema)
    .max(200)
    .optional()
    .meta({ description: "Installed at the first boot, by the system's own package manager." }),
});
export type FirstBootInput = z.infer<typeof firstBootInputSchema>;

/** The same as it is kept: keys found, passwords hashed. */
export interface FirstBoot {
  passwordHash: string | null;
  users: { name: string; sudo: boolean; publicKeys: string[]; passwordHash: string | null }[];
  timezone: string | null;
  locale: string | null;
  packages: string[];
}

export const noFirstBoot: FirstBoot = { passwordHash: null, users: [], timezone: null, locale: null, packages: [] };

/**
 * The part of a `#cloud-config` that asks for it (cloud-init, "Module reference").
 * @param passwordUser whom the password is for; null: the user that the system has by default
 * @param userShell of users that are made; null: the system's own choice
 */
export function firstBootConfig(
  firstBoot: FirstBoot,
  { passwordUser, userShell }: { passwordUser: string | null; userShell: string | null },
): Record<string, unknown> {
  const { passwordHash, users, timezone, locale, packages } = firstBoot;
  return {
    ...(users.length > 0 && { users: ["default", ...users.map((user) => userEntry(user, userShell))] }),
    ...(passwordHash !== null && passwordConfig(passwordHash, passwordUser)),
    ...(timezone !== null && { timezone }),
    ...(locale !== null && { locale }),
    ...(packages.length > 0 && { package_update: true, packages }),
  };
}

/** cloud-init, "Set passwords": a list of users would have it overlook `password`. */
function passwordConfig(hash: string, user: string | null): Record<string, unknown> {
  if (user === null) return { password: hash, chpasswd: { expire: false } };
  return { chpasswd: { expire: false, users: [{ name: user, password: hash, type: "hash" }] } };
}

function userEntry(user: FirstBoot["users"][number], shell: string | null): Record<string, unknown> {
  const { name, sudo, publicKeys, passwordHash } = user;
  return {
    name,
    ...(shell !== null && { shell }),
    lock_passwd: passwordHash === null,
    ...(sudo && { sudo: "ALL=(ALL) NOPASSWD:ALL" }),
    ...(publicKeys.length > 0 && { ssh_authorized_keys: publicKeys }),
    ...(passwordHash !== null && { hashed_passwd: passwordHash }),
  };
}
