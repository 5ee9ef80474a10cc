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
export const milestonesSchema = z.partialRecord(timelineStepSchema, z.iso.datetime());
export type Milestones = z.infer<typeof milestonesSchema>;

/** Milliseconds from where a timeline begins to a moment; null for a timeline that hasn't begun. */
export function sinceStartMs({ accepted, started }: Milestones, at: string): number | null {
  const origin = accepted ?? started;
  return origin === undefined ? null : Math.max(0, Date.parse(at) - Date.parse(origin));
}

export interface TimelineState {
  /** The VM is on its way to ready. */
  isProgressing: boolean;
  /** The guest has told that it sets itself up: SSH may answer long before that is done. */
  isSettingUp: boolean;
  /** It boots what somebody installs by hand: of what comes after its start nothing is expected. */
  isByHand: boolean;
  /** The reason when the VM failed: it marks the step that it was at. */
  failure: string | null;
}

/** The timeline from what was reached. Of a guest that goes on in a boot of long ago, the click is not known: its clock starts with its QEMU. */
export function timelineOf(
  reached: Milestones,
  { isProgressing, isSettingUp, isByHand, failure }: TimelineState,
): TimelineEntry[] {
  const { started } = reached;
  const milestones: Milestones = started === undefined ? reached : { accepted: started, image: started, ...reached };
  const lastReached = timelineSteps.findLastIndex((step) => milestones[step] !== undefined);
  const entries = timelineSteps.map((step, index): TimelineEntry => {
    const at = milestones[step] ?? null;
    const isNext = index === lastReached + 1;
    const isUnderWay = step === "first-boot" && isSettingUp;
    const state = at
      ? "done"
      : isUnderWay
        ? "active"
        : index < lastReached
          ? "skipped"
          : isNext && failure
            ? "failed"
            : isNext && isProgressing
              ? "active"
              : "pending";
    const note = state === "failed" ? failure : null;
    return { step, state, at, sinceStartMs: at === null ? null : sinceStartMs(milestones, at), note };
  });
  const lastExpected = isByHand ? timelineSteps.indexOf("started") : timelineSteps.length;
  return entries.filter(({ state }, index) => index <= lastExpected || state === "done");
}
