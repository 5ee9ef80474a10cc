import * as z from "zod";
import { portSchema } from "./port";

/** Every address that the host has. */
export const allAddresses = "0.0.0.0";

/** The only one that QEMU's user-mode networks forward from. */
export const loopbackAddress = "127.0.0.1";

/** `POST /api/vms/{id}/forwards`: a port of the host that leads to one of the VM. */
export const createForwardSchema = z
  .strictObject({
    hostPort: portSchema,
    hostAddress: z.ipv4().default(loopbackAddress).meta({
      description: "An address of the host; `0.0.0.0` is all of them. With user-mode networks: `127.0.0.1` alone.",
    }),
    protocol: z.enum(["tcp", "udp"]).default("tcp"),
    port: portSchema,
  })
  .meta({ id: "CreateForward" });
export type CreateForward = z.infer<typeof createForwardSchema>;

export const portForwardViewSchema = z
  .object({
    id: z.number().int(),
    vmId: z.number().int(),
    hostAddress: z.string(),
    hostPort: z.number().int(),
    protocol: z.enum(["tcp", "udp"]),
    port: z.number().int(),
    whyNot: z.string().nullable().meta({
      description: "Why it is not in effect while the VM runs; null where nothing is known against it.",
    }),
    warning: z.string().nullable().meta({
      description:
        "What is to be known of it while it is in effect: what it keeps from a program of the host, or until when it holds; null where nothing is.",
    }),
  })
  .meta({ id: "PortForward" });
export type PortForwardView = z.infer<typeof portForwardViewSchema>;

/** The answer to `POST /api/vms/{id}/forwards`. */
export const addedForwardSchema = portForwardViewSchema
  .extend({
    /** Why it doesn't lead to the VM yet; null when it does. */
    pending: z.string().nullable(),
  })
  .meta({ id: "AddedForward" });
export type AddedForward = z.infer<typeof addedForwardSchema>;
