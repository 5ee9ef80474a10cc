import { checkAddresses } from "./checks/addresses";
import { checkDisks } from "./checks/disks";
import { checkImages } from "./checks/images";
import { checkLayers } from "./checks/layers";
import { checkLeftovers } from "./checks/leftovers";
import { checkMachines } from "./checks/machines";
import { checkNetworks } from "./checks/networks";
import { checkObservations } from "./checks/observations";
import { checkOperations } from "./checks/operations";
import { checkPermissions } from "./checks/permissions";
import { checkProcesses } from "./checks/processes";
import { checkRecords } from "./checks/records";
import { checkShadowedForwards } from "./checks/shadowedForwards";
import { checkSharing } from "./checks/sharing";
import { checkSnapshots } from "./checks/snapshots";
import { checkSockets } from "./checks/sockets";
import { checkUnnamedLayers } from "./checks/unnamedLayers";
import type { Check, Disagreement, Snapshot } from "./snapshot";

/** What must hold, in the order in which people would look. */
export const checks: readonly Check[] = [
  checkMachines,
  checkDisks,
  checkLayers,
  checkUnnamedLayers,
  checkSnapshots,
  checkProcesses,
  checkObservations,
  checkSockets,
  checkSharing,
  checkAddresses,
  checkNetworks,
  checkShadowedForwards,
  checkLeftovers,
  checkImages,
  checkOperations,
  checkRecords,
  checkPermissions,
];

/** All that is wrong in a snapshot. Pure. */
export function disagreementsIn(snapshot: Snapshot): Disagreement[] {
  return checks.flatMap((check) => check(snapshot));
}

/** Those that were there before and still are, as they are now. Pure. */
export function lasting(before: readonly Disagreement[], now: readonly Disagreement[]): Disagreement[] {
  const keys = new Set(before.map(keyOf));
  return now.filter((one) => keys.has(keyOf(one)));
}

function keyOf({ check, subject }: Disagreement): string {
  return `${check} ${subject}`;
}
