import { eq, inArray, isNotNull, isNull } from "drizzle-orm";
import type pg from "pg";
import { shadowedForwards } from "../../control/networks/consolePort";
import { networkDriverOf } from "../../control/networks/driver";
import { networkStateOf } from "../../control/networks/state";
import { openDatabase } from "../../db/client";
import { hosts } from "../../db/schema/hosts";
import { images } from "../../db/schema/images";
import { operations } from "../../db/schema/operations";
import { portForwards } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import { isOfConsolePort, type ShadowedForward } from "../../domain/consolePort";
import type { NetworkState } from "../../domain/hostNetwork";
import type { NetworkDriver } from "../../domain/machine";
import { loopbackAddress } from "../../domain/portForward";
import type {
  AddressFact,
  ImageFact,
  InterfaceFact,
  OperationFact,
  SnapshotRowFact,
  StrandedBackupFact,
  VmFact,
} from "../snapshot";
import { gatherAddresses } from "./addresses";
import { gatherSnapshotRows, gatherStrandedBackups } from "./snapshotRows";

export interface DatabaseFacts {
  vms: VmFact[];
  images: ImageFact[];
  openOperations: OperationFact[];
  snapshotRows: SnapshotRowFact[];
  strandedBackups: StrandedBackupFact[];
  isHostAway: boolean;
  /** How the host does networks; null until it has reported. */
  driver: NetworkDriver | null;
  askedNetworks: NetworkState | null;
  /** VMs that were last seen to run on a bridge. */
  bridgedVmIds: ReadonlySet<number>;
  shadowedForwards: ShadowedForward[];
  interfaces: InterfaceFact[];
  addresses: AddressFact[];
}

/** What the database says, all of one instant. @param consolePort that the console listens on, from which nothing is forwarded */
export async function gatherDatabase(pool: pg.Pool, consolePort: number): Promise<DatabaseFacts> {
  return openDatabase(pool).transaction(
    async (tx) => {
      const imageRows = await tx.select().from(images);
      const vmRows = await tx
        .select({ vm: vms, image: images })
        .from(vms)
        .innerJoin(images, eq(images.id, vms.imageId))
        .where(isNull(vms.deletedAt));
      const sha256Of = new Map(imageRows.map(({ id, sha256 }) => [id, sha256]));
      const operationRows = await tx
        .select({ operation: operations, vm: vms })
        .from(operations)
        .leftJoin(vms, eq(vms.id, operations.vmId))
        .where(inArray(operations.status, ["pending", "running"]));
      const open = operationRows.map(({ operation }) => operation);
      const away = await tx.select({ id: hosts.id }).from(hosts).where(isNotNull(hosts.unreachableSince));
      const { driver } = (await networkDriverOf(tx)) ?? {};
      const tcpForwards = await tx.select().from(portForwards).where(eq(portForwards.protocol, "tcp"));
      // QEMU forwards these itself, where the VM has a user-mode network.
      const forwardRows = tcpForwards.filter(
        (one) => one.hostAddress === loopbackAddress && !isOfConsolePort(one, consolePort),
      );
      const busyIds = new Set(operationRows.map(({ operation }) => operation.vmId));
      const removedIds = new Set(
        operationRows
          .filter(({ operation }) => operation.kind === "image-remove")
          .map(({ operation }) => operation.taskParams?.imageId),
      );
      return {
        vms: vmRows.map(({ vm, image }) =>
          vmFact(vm, {
            // A system is installed from an ISO on a disk that began empty.
            imageSha256: image.kind === "iso" ? null : image.sha256,
            cdromSha256: sha256Of.get(vm.cdromImageId ?? 0) ?? null,
            isBusy: busyIds.has(vm.id),
            forwards: forwardRows.filter(({ vmId }) => vmId === vm.id),
          }),
        ),
        images: imageRows
          .map(({ id, name, kind, sha256, fileBytes, variablesSha256, deletedAt }) => ({
            image: { id, name, kind, sha256, fileBytes, variablesSha256, isBeingRemoved: deletedAt !== null },
            isThere: deletedAt === null || removedIds.has(id),
          }))
          .flatMap(({ image, isThere }) => (isThere ? [image] : [])),
        openOperations: operationRows.map(({ operation, vm }) => ({
          id: operation.id,
          kind: operation.kind,
          vmId: operation.vmId,
          isVmDeleted: vm !== null && vm.deletedAt !== null,
          dueFromMs:
            operation.taskKind === null
              ? Math.max(operation.createdAt.getTime(), vm?.stopDeadlineAt?.getTime() ?? 0)
              : null,
        })),
        snapshotRows: await gatherSnapshotRows(tx, open),
        strandedBackups: await gatherStrandedBackups(tx, open),
        isHostAway: away.length > 0,
        driver: driver ?? null,
        // As it is, also where a host would refuse it: what is wrong with it is then told.
        askedNetworks: driver ? await networkStateOf(tx, driver, consolePort) : null,
        bridgedVmIds: new Set(vmRows.filter(({ vm }) => vm.observedLink?.driver === "bridge").map(({ vm }) => vm.id)),
        shadowedForwards: await shadowedForwards(tx, consolePort),
        ...(await gatherAddresses(tx)),
      };
    },
    { isolationLevel: "repeatable read", accessMode: "read only" },
  );
}

interface Referred {
  imageSha256: string | null;
  cdromSha256: string | null;
  isBusy: boolean;
  forwards: { hostPort: number }[];
}

function vmFact(vm: typeof vms.$inferSelect, { imageSha256, cdromSha256, isBusy, forwards }: Referred): VmFact {
  const { id, uuid, name, hostId, networkId, ipv4, mac, sshHostPort, desired, observed, lastError } = vm;
  return {
    ...{
      id,
      uuid,
      name,
      hostId,
      networkId,
      ipv4,
      mac,
      sshHostPort,
      forwardedPorts: forwards.map(({ hostPort }) => hostPort),
      imageSha256,
      cdromSha256,
      desired,
      observed,
      lastError,
    },
    observedAtMs: vm.observedAt?.getTime() ?? null,
    createdAtMs: vm.createdAt.getTime(),
    hasDisk: vm.milestones.disk !== undefined,
    isUnderWay: isBusy || vm.desired === "deleted" || vm.settledGeneration < vm.generation,
  };
}
