import { and, eq, inArray, sql } from "drizzle-orm";
import type { Queryable } from "../db/client";
import { operations } from "../db/schema/operations";
import { interfaceLimits, portForwards, vmFirewalls, vmInterfaces } from "../db/schema/vmNetworking";
import { vms } from "../db/schema/vms";
import { CumulusError, messageOf } from "../domain/errors";
import { sshPortField } from "../domain/machine";
import type { PendingAct, Step } from "../domain/nextStep";
import { defaultShutdownDeadlineSeconds } from "../domain/vm";
import { failpoint } from "../failpoints";
import { announce } from "./changes";
import type { Context } from "./context";
import { releaseAddresses } from "./networks/addresses";
import { applyNetworks, requestNetworks } from "./networks/apply";
import { forgetLeftInterfaces, performInterfaceChange } from "./networks/interfaces";
import {
  addFinishedOperation,
  announceOperation,
  finishIntents,
  finishOperation,
  openStatuses,
  progressIntents,
} from "./operations";
import { specOf } from "./spec";
import { allocateSshPort } from "./vms/allocate";
import { announceHeirs, announceSource } from "./vms/madeFrom";
import { acceptGuestEject, performMediaChange } from "./vms/media";
import { driversOf, type VmRecord, type VmRow } from "./vms/view";

type DoableStep = Exclude<Step, { kind: "none" | "wait" }>;

/** How often a host port that someone else took is replaced before that is said. */
const maxPortAttempts = 5;

/** Carries out one step of the converger. Each is idempotent: the agent's calls are, and what is written here is the same when written twice. */
export async function performStep(context: Context, record: VmRecord, step: DoableStep): Promise<void> {
  const { vm } = record;
  switch (step.kind) {
    case "ensure-and-start":
      return ensureAndStart(context, record);
    case "report-lost-disk":
      return giveUp(
        context,
        vm,
        "Its disk is not on the host any more. Is the data folder mounted? Bring the folder back and start it, or destroy it.",
      );
    case "settle":
      return settle(context, vm, await settledMessage(context, record));
    case "accept-guest-shutdown":
      return acceptGuestShutdown(context, vm);
    case "accept-guest-eject":
      return acceptGuestEject(context, vm);
    case "shutdown":
      await progressIntents(context.db, vm.id, 30, "Asked the guest to shut down.");
      await context.agent.shutdown(vm.id);
      return;
    case "stop":
      failpoint("converge.before-stop");
      await progressIntents(context.db, vm.id, 50, "Turning it off.");
      await context.agent.stop(vm.id);
      failpoint("converge.stopped");
      return;
    case "remove":
      failpoint("converge.before-remove");
      await progressIntents(context.db, vm.id, 50, "Removing its disk.");
      await context.agent.remove(vm.id);
      failpoint("converge.removed");
      return;
    case "finish-delete":
      return finishDelete(context, vm);
    case "finish-act":
      await finishOperation(context.db, step.operationId, { message: "Done." });
      return;
    case "fail-act":
      await finishOperation(context.db, step.operationId, { error: whyNotCarriedOut(vm) });
      return;
    case "leave-change-to-start":
      await finishOperation(context.db, step.operationId, { message: "Noted: it is made as asked when it starts." });
      return;
    case "act":
      return performAct(context, vm, step.act);
  }
}

/** The present intent has failed for good: it is not tried again until someone asks anew. */
export async function giveUp(context: Context, vm: VmRow, reason: string): Promise<void> {
  await context.db.transaction((tx) => giveUpIn(tx, vm, reason));
}

/** The same in the caller's transaction. */
export async function giveUpIn(tx: Queryable, vm: VmRow, reason: string): Promise<void> {
  const [row] = await tx
    .update(vms)
    .set({ lastError: reason, settledGeneration: vm.generation, updatedAt: sql`now()` })
    .where(and(eq(vms.id, vm.id), eq(vms.generation, vm.generation)))
    .returning({ id: vms.id });
  if (!row) return;
  await finishIntents(tx, vm.id, vm.generation, { error: reason });
  await announce(tx, { kind: "vm", id: vm.id });
}

async function ensureAndStart(context: Context, record: VmRecord): Promise<void> {
  const { db, agent } = context;
  const vmId = record.vm.id;
  failpoint("converge.before-ensure");
  await progressIntents(db, vmId, 20, "Making its disk.");
  for (let attempt = 1, present = record; ; attempt++) {
    await applyNetworks(context);
    await agent.ensure(specOf(present));
    await forgetLeftInterfaces(context, present);
    failpoint("converge.ensured");
    await progressIntents(db, vmId, 60, "Starting.");
    try {
      await agent.start(vmId);
      failpoint("converge.started");
      return;
    } catch (error) {
      const isPortTaken = error instanceof CumulusError && error.fields?.[sshPortField] !== undefined;
      if (!isPortTaken || attempt === maxPortAttempts) throw error;
      context.log.warn({ vmId, err: error }, "takes another SSH port");
      present = { ...present, vm: await replaceSshPort(context, present.vm) };
    }
  }
}

async function replaceSshPort(context: Context, vm: VmRow): Promise<VmRow> {
  const sshHostPort = await allocateSshPort(context.db, vm.hostId);
  const [row] = await context.db.update(vms).set({ sshHostPort }).where(eq(vms.id, vm.id)).returning();
  if (!row) throw new CumulusError("not_found", `There is no VM ${vm.id}.`);
  return row;
}

/** Says so when the VM has firewalls that its network can't enforce. */
async function settledMessage({ db }: Context, { vm, host }: VmRecord): Promise<string> {
  if (vm.desired !== "running") return "It is off.";
  const isUnguarded =
    driversOf(vm, host).driver === "user" && (await db.$count(vmFirewalls, eq(vmFirewalls.vmId, vm.id))) > 0;
  return isUnguarded ? "It runs. Its firewalls are not in effect: it has a user-mode network." : "It runs.";
}

/** The present intent is reached, unless a newer one came in between. */
async function settle(context: Context, vm: VmRow, message: string): Promise<void> {
  await context.db.transaction(async (tx) => {
    await tx
      .update(vms)
      .set({ settledGeneration: vm.generation, lastError: null, updatedAt: sql`now()` })
      .where(and(eq(vms.id, vm.id), eq(vms.generation, vm.generation)));
    await finishIntents(tx, vm.id, vm.generation, { message });
    await announce(tx, { kind: "vm", id: vm.id });
  });
}

/** A guest that turns itself off is to stay off. */
async function acceptGuestShutdown(context: Context, vm: VmRow): Promise<void> {
  await context.db.transaction(async (tx) => {
    const [row] = await tx
      .update(vms)
      .set({ desired: "stopped", updatedAt: sql`now()` })
      .where(and(eq(vms.id, vm.id), eq(vms.generation, vm.generation)))
      .returning({ id: vms.id });
    if (!row) return;
    const message = "The guest turned itself off.";
    await addFinishedOperation(tx, { kind: "guest-shutdown", vmId: vm.id, actor: "system", message });
    await announce(tx, { kind: "vm", id: vm.id });
  });
}

/** What a VM held in networks: its addresses and MACs are given to nobody for a while; that of its first interface is in its own row. */
async function forgetNetworking(tx: Queryable, vmId: number): Promise<void> {
  const further = await tx.delete(vmInterfaces).where(eq(vmInterfaces.vmId, vmId)).returning();
  for (const link of further) await releaseAddresses(tx, vmId, link);
  await releaseAddresses(tx, vmId);
  for (const table of [interfaceLimits, portForwards, vmFirewalls]) {
    await tx.delete(table).where(eq(table.vmId, vmId));
  }
  await requestNetworks(tx);
}

/**
 * A VM that isn't there may be being made still, for a console that died or waits no longer: the host removes what comes of that first. Whoever asks for
 * its end meanwhile, once more, has that too: generations count as they are when it is gone.
 */
async function finishDelete(context: Context, vm: VmRow): Promise<void> {
  await context.agent.remove(vm.id);
  await context.db.transaction(async (tx) => {
    const [gone] = await tx
      .update(vms)
      .set({ deletedAt: new Date(), settledGeneration: sql`${vms.generation}`, updatedAt: sql`now()` })
      .where(eq(vms.id, vm.id))
      .returning({ generation: vms.generation });
    await forgetNetworking(tx, vm.id);
    if (gone) await finishIntents(tx, vm.id, gone.generation, { message: `${vm.name} is gone, with its disk.` });
    await announce(tx, { kind: "vm", id: vm.id });
    await announceSource(tx, vm.fromSnapshotId);
    await announceHeirs(tx, { vmId: vm.id });
  });
}

function whyNotCarriedOut({ lastError, observed }: VmRow): string {
  if (lastError !== null) return `The VM failed before this was done: ${lastError}`;
  const what = observed === "crashed" ? "The VM crashed" : "The VM was turned off";
  return `${what} before this was done. Start it, and ask again.`;
}

/** An act that can't be done ends with its reason; the VM stays as it is. */
async function performAct(context: Context, vm: VmRow, act: PendingAct): Promise<void> {
  const [row] = await context.db
    .update(operations)
    .set({ status: "running", progress: 50, startedAt: sql`coalesce(${operations.startedAt}, now())` })
    .where(and(eq(operations.id, act.operationId), inArray(operations.status, [...openStatuses])))
    .returning();
  // Superseded since it was read.
  if (!row) return;
  await announceOperation(context.db, row);
  try {
    if (act.kind === "change-media") {
      await performMediaChange(context, vm.id, act.operationId);
    } else if (act.kind === "change-interfaces") {
      await performInterfaceChange(context, vm.id, act.operationId);
    } else if (act.kind === "reboot") {
      await context.agent.reboot(vm.id, act.operationId, defaultShutdownDeadlineSeconds * 1000);
    } else if (act.kind === "reset") {
      await context.agent.reset(vm.id, act.operationId);
    } else {
      await context.agent[act.kind](vm.id);
    }
  } catch (error) {
    if (error instanceof CumulusError && error.code !== "unavailable") {
      await finishOperation(context.db, act.operationId, { error: messageOf(error) });
      return;
    }
    throw error;
  }
}
