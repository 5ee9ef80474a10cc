import * as z from "zod";
import { lineSchema } from "./humanText";

export const createTokenSchema = z.strictObject({
  name: lineSchema(64, "Give the token a name."),
});

/** An API token. Its secret is shown once, when it is made; stored is only its hash. */
export const tokenSchema = z
  .object({
    id: z.number().int(),
    name: z.string(),
    /** The first characters, to tell tokens apart. */
    prefix: z.string(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "Token" });
export type Token = z.infer<typeof tokenSchema>;

export const createdTokenSchema = tokenSchema.extend({ token: z.string() }).meta({ id: "CreatedToken" });
