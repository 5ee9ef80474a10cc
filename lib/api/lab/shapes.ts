import { z } from "zod";

/**
 * Requests and answers of the "OS Cloud" lab of an operating systems course, whose students build such a cloud in Python: their scripts work here unchanged. Keys stand in the
 * order in which the lab prints them.
 */
export const labOk = z.object({ status: z.literal("ok") });
export const labCreated = z.object({ id: z.number().int(), status: z.literal("ok") });
export const labList = z.array(z.object({ id: z.number().int(), name: z.string() }));
export const labInfo = z.object({
  disk_size: z.number().int(),
  id: z.number().int(),
  ip: z.string(),
  mem_size: z.number().int(),
  name: z.string(),
  network: z.string(),
  os: z.string(),
  state: z.enum(["RUNNING", "STOPPED", "PAUSED"]),
});

/** What went wrong, with the status 200. */
export const labError = z.object({ status: z.literal("error"), error_msg: z.string() }).meta({ id: "LabError" });
/** Who may not ask is told so by the status 401 or 403 too. */
export const labDenied = labError.extend({ code: z.enum(["unauthenticated", "forbidden"]) }).meta({ id: "LabDenied" });

/** Bodies are looked at key by key, since the lab answers what is missing first. */
export const labBody = z.record(z.string(), z.unknown());
export type LabBody = z.infer<typeof labBody>;
