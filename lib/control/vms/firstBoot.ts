import type { Queryable } from "../../db/client";
import { CumulusError } from "../../domain/errors";
import type { FirstBoot, FirstBootInput } from "../../domain/firstBoot";
import { hashPassword } from "../passwordHash";
import { resolveSshKeys } from "../sshKeys";

/** What a request asks of the first boot, as it is kept: keys found, passwords hashed. @throws `bad_request` with fields */
export async function resolveFirstBoot(
  tx: Queryable,
  input: FirstBootInput,
  image: { title: string; loginUser: string },
): Promise<FirstBoot> {
  const { password, users = [], timezone = null, locale = null, packages = [] } = input;
  const found: FirstBoot["users"] = [];
  for (const [index, { name, sudo, sshKeys, password }] of users.entries()) {
    if (name === image.loginUser) throw nameOfImagesUser(index, name, image.title);
    const keys = await resolveSshKeys(tx, sshKeys, `users.${index}.sshKeys`);
    const publicKeys = keys.map(({ publicKey }) => publicKey);
    found.push({ name, sudo, publicKeys, passwordHash: hashOf(password) });
  }
  return { passwordHash: hashOf(password), users: found, timezone, locale, packages };
}

function hashOf(password: string | undefined): string | null {
  return password === undefined ? null : hashPassword(password);
}

function nameOfImagesUser(index: number, name: string, title: string): CumulusError {
  const message = `${title} makes ${name} by itself: give that user keys by sshKeys, and a password by password.`;
  return new CumulusError("bad_request", message, { fields: { [`users.${index}.name`]: message } });
}

/** A request without its passwords: they must not be kept, not even as a part of what a hash is made of that is quick to guess. */
export function withoutPasswords<T extends FirstBootInput>(input: T): unknown {
  const users = input.users?.map(({ password: _password, ...user }) => user);
  return { ...input, password: undefined, users };
}
