import { randomBytes } from "node:crypto";
import { asc, eq } from "drizzle-orm";
import { sha256Hex } from "../auth/secrets";
import { apiTokens } from "../db/schema/api";
import { CumulusError } from "../domain/errors";
import type { Token } from "../domain/token";
import { announce } from "./changes";
import type { Context } from "./context";

type TokenRow = typeof apiTokens.$inferSelect;

export async function listTokens(context: Context): Promise<Token[]> {
  return (await context.db.select().from(apiTokens).orderBy(asc(apiTokens.name), asc(apiTokens.id))).map(toToken);
}

/** Makes an API token of 64 characters. It is in the answer, and nowhere else ever again. */
export async function createToken(context: Context, input: { name: string }): Promise<Token & { token: string }> {
  const token = randomBytes(32).toString("hex");
  return context.db.transaction(async (tx) => {
    const [row] = await tx
      .insert(apiTokens)
      .values({ name: input.name, prefix: token.slice(0, 6), hash: sha256Hex(token) })
      .returning();
    if (!row) throw new CumulusError("internal", "The token could not be written.");
    await announce(tx, { kind: "token", id: row.id });
    return { ...toToken(row), token };
  });
}

/** From now on the token opens nothing; consoles that it opened are cut. */
export async function revokeToken(context: Context, id: number): Promise<void> {
  await context.db.transaction(async (tx) => {
    const [row] = await tx.delete(apiTokens).where(eq(apiTokens.id, id)).returning();
    if (!row) throw new CumulusError("not_found", `There is no API token ${id}.`);
    await announce(tx, { kind: "token", id });
  });
}

function toToken(row: TokenRow): Token {
  const { hash: _hash, createdAt, lastUsedAt, ...rest } = row;
  return { ...rest, createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt?.toISOString() ?? null };
}
