import { asc, eq } from "drizzle-orm";
import { violatedUnique } from "../../db/errors";
import { userDataTemplates } from "../../db/schema/guestSetup";
import { CumulusError } from "../../domain/errors";
import type { CreateUserDataTemplate, UpdateUserDataTemplate, UserDataTemplate } from "../../domain/userDataTemplate";
import { announce } from "../changes";
import type { Context } from "../context";
import { refuseBadUserData } from "../userData";

type Row = typeof userDataTemplates.$inferSelect;

export async function listTemplates({ db }: Context): Promise<UserDataTemplate[]> {
  return (await db.select().from(userDataTemplates).orderBy(asc(userDataTemplates.name))).map(toTemplate);
}

/** @throws `not_found` */
export async function getTemplate({ db }: Context, id: number): Promise<UserDataTemplate> {
  const [row] = await db.select().from(userDataTemplates).where(eq(userDataTemplates.id, id));
  if (!row) throw notFound(id);
  return toTemplate(row);
}

/** @throws `bad_request` for what is no user data; `conflict` when the name is taken */
export async function addTemplate(context: Context, input: CreateUserDataTemplate): Promise<UserDataTemplate> {
  const { name, description = "", userData } = input;
  refuseBadUserData(userData);
  return write(name, () =>
    context.db.transaction(async (tx) => {
      const [row] = await tx.insert(userDataTemplates).values({ name, description, userData }).returning();
      if (!row) throw new CumulusError("internal", "The template could not be written.");
      await announce(tx, { kind: "user-data-template", id: row.id });
      return toTemplate(row);
    }),
  );
}

/** @throws `not_found`; else as `addTemplate` */
export async function updateTemplate(
  context: Context,
  id: number,
  changes: UpdateUserDataTemplate,
): Promise<UserDataTemplate> {
  const { name, description, userData } = changes;
  refuseBadUserData(userData);
  const values = {
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(userData !== undefined && { userData }),
    updatedAt: new Date(),
  };
  return write(name, () =>
    context.db.transaction(async (tx) => {
      const [row] = await tx.update(userDataTemplates).set(values).where(eq(userDataTemplates.id, id)).returning();
      if (!row) throw notFound(id);
      await announce(tx, { kind: "user-data-template", id });
      return toTemplate(row);
    }),
  );
}

/** VMs that were made with it keep their copy. */
export async function deleteTemplate(context: Context, id: number): Promise<void> {
  await context.db.transaction(async (tx) => {
    const [row] = await tx.delete(userDataTemplates).where(eq(userDataTemplates.id, id)).returning();
    if (!row) throw notFound(id);
    await announce(tx, { kind: "user-data-template", id });
  });
}

async function write<T>(name: string | undefined, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (violatedUnique(error) === undefined) throw error;
    throw new CumulusError("conflict", `A template named ${name} exists already.`, {
      fields: { name: "This name is taken." },
    });
  }
}

function toTemplate({ createdAt, updatedAt, ...rest }: Row): UserDataTemplate {
  return { ...rest, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}

function notFound(id: number): CumulusError {
  return new CumulusError("not_found", `There is no user data template ${id}.`);
}
