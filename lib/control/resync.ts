import { and, inArray, isNull } from "drizzle-orm";
import { operations } from "../db/schema/operations";
import { vms } from "../db/schema/vms";
import { CumulusError } from "../domain/errors";
import type { Observation } from "../domain/machine";
import type { Context } from "./context";
import { noteHostAway, refreshHost } from "./hosts";
import { requestConverge } from "./jobs";
import { requestNetworksAnew } from "./networks/apply";
import { isNewObservation, touchObservations } from "./observations";
import { openStatuses } from "./operations";
import { sweepSnapshots } from "./snapshots/sweep";
import type { VmRow } from "./vms/view";

const sweepIntervalMs = 5_000;
/** Every how many sweeps the host itself is asked what it has. */
const sweepsPerHostReport = 3;
/** Every how many sweeps the host is told of its networks anew, so that drift is mended: about every minute. */
const sweepsPerNetworks = 12;

export interface Resync {
  stop(): Promise<void>;
}

/**
 * Wakes the converger: at once when the agent tells of a change, and by a timer for whatever no signal told of. It decides nothing and does nothing to a VM.
 * A host that doesn't list a VM is no reason to forget that VM.
 */
export function startResync(context: Context): Resync {
  const { agent, log } = context;
  let isStopped = false;
  let sweeps = 0;
  let timer: NodeJS.Timeout | undefined;
  let present: Promise<void> = Promise.resolve();

  async function sweep(): Promise<void> {
    try {
      if (sweeps % sweepsPerHostReport === 0) {
        await refreshHost(context);
        await sweepSnapshots(context);
      }
      if (sweeps % sweepsPerNetworks === 0) await requestNetworksAnew(context.db);
      sweeps += 1;
      await sweepVms(context, await agent.observeAll());
    } catch (err) {
      sweeps = 0;
      const isAgentAway = err instanceof CumulusError && err.code === "unavailable";
      log.warn({ err }, isAgentAway ? "the agent doesn't answer" : "sweep failed");
      if (isAgentAway) await noteHostAway(context).catch((error) => log.warn({ err: error }, "sweep failed"));
    }
  }

  function schedule(delayMs: number): void {
    if (isStopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      present = sweep().finally(() => schedule(sweepIntervalMs));
    }, delayMs);
  }

  const stopWatching = agent.watch(
    (seen) => {
      requestConverge(context.db, seen.id).catch((err) => log.warn({ err, vmId: seen.id }, "could not note a change"));
    },
    (state) => {
      log.info({ state }, "agent");
      sweeps = 0;
      schedule(0);
    },
  );
  schedule(0);

  return {
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      stopWatching();
      await present;
    },
  };
}

/** Asks the converger to look at VMs of which there is news or which are not where they should be; notes of all others that they were seen. */
async function sweepVms(context: Context, seen: Observation[]): Promise<void> {
  const seenById = new Map(seen.map((observation) => [observation.id, observation]));
  const rows = await context.db.select().from(vms).where(isNull(vms.deletedAt));
  const open = await context.db
    .selectDistinct({ vmId: operations.vmId })
    .from(operations)
    .where(and(inArray(operations.status, [...openStatuses]), isNull(operations.taskKind)));
  const waiting = new Set(open.map(({ vmId }) => vmId));
  const isSettled = (vm: VmRow) =>
    vm.settledGeneration === vm.generation && vm.desired !== "deleted" && !waiting.has(vm.id);
  const quiet = rows.filter((vm) => {
    const observation = seenById.get(vm.id);
    return observation !== undefined && isSettled(vm) && !isNewObservation(vm, observation) && isWanted(vm);
  });
  const quietIds = new Set(quiet.map(({ id }) => id));
  await touchObservations(context.db, [...quietIds], new Date());
  for (const vm of rows) {
    if (!quietIds.has(vm.id)) await requestConverge(context.db, vm.id);
  }
}

/** Whether what was seen of a settled VM is what is wanted, or a crash that waits for somebody. */
function isWanted(vm: VmRow): boolean {
  if (vm.lastError !== null || vm.observed === "crashed") return true;
  return vm.desired === "running" ? vm.observed === "running" || vm.observed === "paused" : vm.observed === "stopped";
}
