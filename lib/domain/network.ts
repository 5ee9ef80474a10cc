import * as z from "zod";

export const networkSchema = z
  .object({
    id: z.number().int(),
    name: z.string(),
    cidr: z.string(),
    gateway: z.string(),
    driver: z.enum(["bridge", "user"]),
    vmCount: z.number().int(),
  })
  .meta({ id: "Network" });
export type Network = z.infer<typeof networkSchema>;
