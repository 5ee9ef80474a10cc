import * as z from "zod";
import { lineSchema, textSchema } from "./humanText";

export const templateNameSchema = lineSchema(64);

const userDataSchema = z
  .string()
  .min(1, "Give the user data.")
  .max(128 * 1024)
  .meta({ description: "`#cloud-config` YAML, or a script that starts with `#!`." });

/** `POST /api/user-data-templates`. */
export const createUserDataTemplateSchema = z
  .strictObject({
    name: templateNameSchema,
    description: textSchema(200).trim().optional(),
    userData: userDataSchema,
  })
  .meta({ id: "CreateUserDataTemplate" });
export type CreateUserDataTemplate = z.infer<typeof createUserDataTemplateSchema>;

/** `PATCH /api/user-data-templates/{id}`: what is given is changed. */
export const updateUserDataTemplateSchema = createUserDataTemplateSchema
  .partial()
  .meta({ id: "UpdateUserDataTemplate" });
export type UpdateUserDataTemplate = z.infer<typeof updateUserDataTemplateSchema>;

/** User data that is kept to be chosen for new VMs. A VM keeps a copy of its own. */
export const userDataTemplateSchema = z
  .object({
    id: z.number().int(),
    name: z.string(),
    description: z.string(),
    userData: z.string(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "UserDataTemplate" });
export type UserDataTemplate = z.infer<typeof userDataTemplateSchema>;
