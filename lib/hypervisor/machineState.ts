import { z } from "zod";
import { emptyFirstBootReport } from "../domain/firstBootReport";
import { liveLinkOf, type MachineSpec, type Observation, observationSchema } from "../domain/machine";
import { hardwareSchema } from "./qemu/hardware";

/** A restore that was begun, and whether the VM ran before. */
export const restoringSchema = z.object({ operationId: z.number().int(), wasRunning: z.boolean() });
export type Restoring = z.infer<typeof restoringSchema>;

/**
 * What the agent must remember of a VM over its own end (`state.json`).
 *
 * Invariants: `intent` is `running` from before QEMU is started until it is told, or found, to be gone; `process` is set while a
 * QEMU is known to live; a VM that doesn't run is as `ended` says.
 */
export const machineStateSchema = z
  .object({
    intent: z.enum(["running", "stopped"]),
    /** The host's boot in which QEMU was last started. */
    hostBootId: z.string().nullable(),
    process: z.object({ pid: z.number().int(), startTime: z.string() }).nullable(),
    /** The forward that the running QEMU was started with: a newer spec may say another. */
    sshHostPort: z.number().int().nullable(),
    /** Whether it was started without a way out of its user-mode network; not noted by earlier versions, of whose VMs it is not known. */
    isRestricted: z.boolean().default(false),
    ended: z.object({
      state: z.enum(["stopped", "crashed"]),
      stoppedBy: observationSchema.shape.stoppedBy,
      reason: z.string().nullable(),
    }),
    /** Whether the guest turned itself off when it last ended: nothing is to be replayed from journals. */
    endedCleanly: z.boolean().default(false),
    /** Whether a QEMU had the disk open that may not have closed it: it is looked for clusters that nothing uses. Earlier versions did not note it. */
    mayLeak: z.boolean().default(false),
    /** What the running QEMU was started with: a newer spec may say another. */
    hardware: hardwareSchema.nullable().default(null),
    /** Whether the guest was stopped for a snapshot: an agent that finds this lets it go on. */
    isHeld: z.boolean().default(false),
    /** Whether its file systems were to be frozen, and it has not said since that they are not: an agent that finds this thaws them. Earlier versions noted no more than `isHeld`. */
    mayBeFrozen: z.boolean().optional(),
    /** A restore that is neither done nor undone. */
    restoring: restoringSchema.nullable().default(null),
    bootCount: z.number().int(),
    milestones: observationSchema.shape.milestones,
    firstBoot: observationSchema.shape.firstBoot.default(emptyFirstBootReport),
    pending: z
      .discriminatedUnion("act", [
        z.object({ act: z.literal("shutdown") }),
        z.object({ act: z.literal("reboot"), deadlineAt: z.iso.datetime() }),
      ])
      .nullable(),
    /** Operations that were taken on, the newest last: asked again, they are not done again. */
    operationIds: z.array(z.number().int()),
  })
  .transform((state) => ({ ...state, mayBeFrozen: state.mayBeFrozen ?? state.isHeld }));
export type MachineState = z.infer<typeof machineStateSchema>;

/** A VM that was made and never started. */
export function initialState(diskMadeAt: string): MachineState {
  return {
    intent: "stopped",
    hostBootId: null,
    process: null,
    sshHostPort: null,
    isRestricted: false,
    mayBeFrozen: false,
    ended: { state: "stopped", stoppedBy: null, reason: null },
    endedCleanly: true,
    mayLeak: false,
    hardware: null,
    isHeld: false,
    restoring: null,
    bootCount: 0,
    milestones: { disk: diskMadeAt },
    firstBoot: emptyFirstBootReport,
    pending: null,
    operationIds: [],
  };
}

const rememberedOperations = 64;

export function withOperation(state: MachineState, operationId: number): MachineState {
  return { ...state, operationIds: [...state.operationIds, operationId].slice(-rememberedOperations) };
}

/** A new boot of a machine: what was seen of the last one no longer holds. */
export function withNewBoot(state: MachineState, kind: "start" | "reset"): MachineState {
  const { disk, started } = state.milestones;
  return {
    ...state,
    bootCount: state.bootCount + 1,
    milestones: { ...(disk && { disk }), ...(kind === "reset" && started && { started }) },
    firstBoot: emptyFirstBootReport,
    pending: null,
  };
}

/**
 * A QEMU is about to be started.
 * @param milestones what the guest has reached whose memory it goes on with; null: it boots
 */
export function withLaunch(
  state: MachineState,
  launch: Pick<MachineState, "hardware" | "hostBootId" | "sshHostPort" | "isRestricted">,
  milestones: MachineState["milestones"] | null,
): MachineState {
  const begun = milestones === null ? withNewBoot(state, "start") : { ...state, milestones, pending: null };
  const atFirst = { isHeld: false, mayBeFrozen: milestones !== null, mayLeak: true, process: null };
  return { ...begun, ...launch, intent: "running", ...atFirst };
}

/** QEMU is gone, or about to go by our own hand. */
export function withEnd(state: MachineState, ended: MachineState["ended"], endedCleanly = false): MachineState {
  return { ...state, intent: "stopped", ended, endedCleanly, isHeld: false, pending: null };
}

/**
 * What an agent that comes back makes of a VM whose QEMU isn't there.
 * @param bootId the host's present boot
 */
export function withoutProcess(state: MachineState, bootId: string, lastWords: string): MachineState {
  const gone = { ...state, process: null, pending: null };
  // The intent was noted, and then the agent ended before QEMU was started: it never was.
  if (state.intent === "stopped" || state.process === null) return { ...gone, intent: "stopped" };
  if (state.hostBootId !== bootId) {
    const reason = "The host was switched off or restarted while the VM ran.";
    return withEnd(gone, { state: "stopped", stoppedBy: "host-reboot", reason });
  }
  const reason = `QEMU ended while the agent was away.${lastWords}`;
  return withEnd(gone, { state: "crashed", stoppedBy: null, reason });
}

export type LiveState = "running" | "paused" | "unresponsive";

/** What was last seen of a VM whose QEMU lives. */
export interface Live {
  state: LiveState;
  reason: string | null;
  seenAt: string;
}

/** What is seen of a VM. Pure. @param spec whose ISO lies in the drive, for it is written down when that is done */
export function observationOf(
  spec: Pick<MachineSpec, "id" | "cdrom" | "interfaces">,
  state: MachineState,
  live: Live | null,
  now: string,
): Observation {
  const { bootCount, milestones, firstBoot, pending } = state;
  const shared = { id: spec.id, bootCount, milestones, firstBoot, cdromSha256: spec.cdrom?.sha256 ?? null };
  if (live === null) {
    const { ended } = state;
    return { ...shared, ...ended, observedAt: now, pid: null, link: null, pendingAct: null };
  }
  return {
    ...shared,
    state: live.state,
    observedAt: live.seenAt,
    reason: live.reason,
    stoppedBy: null,
    pid: state.process?.pid ?? null,
    link: liveLinkOf(spec, state),
    pendingAct: pending?.act ?? null,
  };
}

/** What is seen of a VM that has no folder here. */
export function absentObservation(id: number, now: string): Observation {
  return {
    id,
    state: "absent",
    observedAt: now,
    reason: null,
    stoppedBy: null,
    pid: null,
    bootCount: 0,
    milestones: {},
    firstBoot: emptyFirstBootReport,
    cdromSha256: null,
    link: null,
    pendingAct: null,
  };
}
