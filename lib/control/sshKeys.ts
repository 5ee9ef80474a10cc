import { createHash } from "node:crypto";
import { asc, eq } from "drizzle-orm";
import type { Queryable } from "../db/client";
import { violatedUnique } from "../db/errors";
import { sshKeys } from "../db/schema/guestSetup";
import { CumulusError } from "../domain/errors";
import { type SshKey, sshPublicKeyProblem } from "../domain/sshKey";
import { announce } from "./changes";
import type { Context } from "./context";

type SshKeyRow = typeof sshKeys.$inferSelect;

/** What a VM keeps of a key: it stays the same when the saved one is deleted. */
export type VmSshKey = Pick<SshKey, "name" | "publicKey" | "fingerprint">;

/** `SHA256:…` as `ssh-keygen -l` prints it: base64 without padding of the blob's hash. */
export function fingerprintOf(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(/\s+/)[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

export async function listSshKeys(context: Context): Promise<SshKey[]> {
  return (await context.db.select().from(sshKeys).orderBy(asc(sshKeys.name))).map(toSshKey);
}

/** @throws `conflict` when the name or the key is there already */
export async function addSshKey(context: Context, input: { name: string; publicKey: string }): Promise<SshKey> {
  const values = { ...input, fingerprint: fingerprintOf(input.publicKey) };
  try {
    return await context.db.transaction(async (tx) => {
      const [row] = await tx.insert(sshKeys).values(values).returning();
      if (!row) throw new CumulusError("internal", "The key could not be written.");
      await announce(tx, { kind: "ssh-key", id: row.id });
      return toSshKey(row);
    });
  } catch (error) {
    const constraint = violatedUnique(error);
    if (constraint === undefined) throw error;
    const isSameKey = constraint.includes("fingerprint");
    throw new CumulusError(
      "conflict",
      isSameKey ? "This key is saved already." : `A key named ${input.name} exists already.`,
      {
        fields: isSameKey ? { publicKey: "This key is saved already." } : { name: "This name is taken." },
      },
    );
  }
}

/** VMs that have the key keep it. */
export async function deleteSshKey(context: Context, id: number): Promise<void> {
  await context.db.transaction(async (tx) => {
    const [row] = await tx.delete(sshKeys).where(eq(sshKeys.id, id)).returning();
    if (!row) throw new CumulusError("not_found", `There is no SSH key ${id}.`);
    await announce(tx, { kind: "ssh-key", id });
  });
}

/**
 * Keys from names of saved ones and whole public keys; each key once.
 * @param field of the request, to be named for a key that isn't there
 * @throws `bad_request`
 */
export async function resolveSshKeys(db: Queryable, wanted: readonly string[], field = "sshKeys"): Promise<VmSshKey[]> {
  const found = new Map<string, VmSshKey>();
  for (const [index, text] of wanted.entries()) {
    const key = sshPublicKeyProblem(text) ? await savedKey(db, text, `${field}.${index}`) : keyFromText(text);
    found.set(key.fingerprint, key);
  }
  return [...found.values()];
}

function keyFromText(text: string): VmSshKey {
  const publicKey = text.trim();
  const fingerprint = fingerprintOf(publicKey);
  return { name: publicKey.split(/\s+/).slice(2).join(" ") || fingerprint.slice(0, 19), publicKey, fingerprint };
}

async function savedKey(db: Queryable, name: string, field: string): Promise<VmSshKey> {
  const [row] = await db.select().from(sshKeys).where(eq(sshKeys.name, name));
  if (row) return { name: row.name, publicKey: row.publicKey, fingerprint: row.fingerprint };
  throw new CumulusError("bad_request", `There is no saved SSH key named "${name}".`, {
    fields: { [field]: `There is no saved key of this name, and it is no public key itself.` },
  });
}

function toSshKey(row: SshKeyRow): SshKey {
  return { ...row, createdAt: row.createdAt.toISOString() };
}
