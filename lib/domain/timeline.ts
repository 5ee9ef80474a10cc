import * as z from "zod";

/**
 * The way of a VM from the click to "ready", in this order. `accepted` and `image` are the control plane's, `disk` and `started`
 * the agent's; the rest is read from the guest: its serial log and the SSH banner.
 */
export const timelineSteps = [
  "accepted",
  "image",
  "disk",
  "started",
  "kernel",
  "network",
  "first-boot",
  "ssh",
] as const;
export const timelineStepSchema = z.enum(timelineSteps);
export type TimelineStep = z.infer<typeof timelineStepSchema>;

export const timelineEntrySchema = z
  .object({
    step: timelineStepSchema,
    /** `skipped`: never seen though a later step was. */
    state: z.enum(["done", "active", "pending", "failed", "skipped"]),
    at: z.iso.datetime().nullable(),
    /** Milliseconds since `accepted`, or since the start was asked for on a later boot. */
    sinceStartMs: z.number().int().nullable(),
    note: z.string().nullable(),
  })
  .meta({ id: "TimelineEntry" });
export type TimelineEntry = z.infer<typeof timelineEntrySchema>;

/** Times (RFC 3339) at which steps of the present boot were reached. */
export type Milestones = Partial<Record<TimelineStep, string>>;

/**
 * The timeline from what was reached.
 * @param failure the reason when the VM failed: it marks the step that it was at.
 */
export function timelineOf(milestones: Milestones, progressing: boolean, failure: string | null): TimelineEntry[] {
  const origin = milestones.accepted ?? milestones.started;
  const originMs = origin ? Date.parse(origin) : null;
  const lastReached = timelineSteps.findLastIndex((step) => milestones[step] !== undefined);
  return timelineSteps.map((step, index) => {
    const at = milestones[step] ?? null;
    const isNext = index === lastReached + 1;
    const state = at
      ? "done"
      : index < lastReached
        ? "skipped"
        : isNext && failure
          ? "failed"
          : isNext && progressing
            ? "active"
            : "pending";
    const sinceStartMs = at && originMs !== null ? Math.max(0, Date.parse(at) - originMs) : null;
    return { step, state, at, sinceStartMs, note: state === "failed" ? failure : null };
  });
}
