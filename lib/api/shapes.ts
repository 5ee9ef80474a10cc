import { z } from "zod";

/** Takes anything and reads none of it. */
export const nothing: z.ZodType<unknown> = z.object({});

/** Ids are PostgreSQL's 32-bit integers. */
export const idSchema = z.coerce
  .number()
  .int()
  .positive()
  .max(2 ** 31 - 1);

export const idParams = z.object({ id: idSchema });

/** Lists that are never long: all of it, with room for pages. */
export function listOf<T>(item: z.ZodType<T>) {
  return z.object({ items: z.array(item), nextCursor: z.null() });
}

/** A page of a list; `nextCursor`, given as `cursor`, asks for the next one. Null: this was the last. */
export function pageOf<T>(item: z.ZodType<T>) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

export function asList<T>(items: T[]): { items: T[]; nextCursor: null } {
  return { items, nextCursor: null };
}
