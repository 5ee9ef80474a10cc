import { eq } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { images } from "../../db/schema/images";
import { networks } from "../../db/schema/networks";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import type { SnapshotManifest } from "../../domain/snapshotManifest";
import type { VmDescription } from "../../domain/vmDescription";
import { firmwareOf } from "./firmware";
import { loginUserOf } from "./loginUser";
import type { VmRow } from "./view";

interface Described {
  vm: VmRow;
  image: typeof images.$inferSelect;
  /** That of its first interface. */
  network: typeof networks.$inferSelect;
  /** Of the disk that the description goes with. */
  takenAt: Date;
}

/** What must be known of a VM to make it again where nothing else is known. */
export function describeVm({ vm, image, network, takenAt }: Described): VmDescription {
  const { name, vcpus, memoryBytes, diskBytes, bootFrom } = vm;
  const { title: imageTitle, arch, os, minMemoryBytes, endOfLife } = image;
  return {
    ...{ name, vcpus, memoryBytes, diskBytes, imageTitle, arch },
    loginUser: loginUserOf(vm, image),
    firmware: firmwareOf(vm, image),
    ...{ os, minMemoryBytes, endOfLife, bootFrom },
    network: network.name,
    sshKeys: vm.sshKeys.map(({ name, publicKey }) => ({ name, publicKey })),
    takenAt: takenAt.toISOString(),
  };
}

/** The same as its snapshot has it, which the VM may have outgrown. */
export function describeSnapshot(described: Described, { machine, virtualBytes }: SnapshotManifest): VmDescription {
  const { vcpus, memoryBytes, firmware } = machine;
  return { ...describeVm(described), vcpus, memoryBytes, firmware, diskBytes: virtualBytes };
}

/** What a description is made from, also of a VM that is gone and has left its snapshots. */
export async function describedVm(tx: Queryable, vmId: number, takenAt: Date): Promise<Described> {
  const [row] = await tx
    .select({ vm: vms, image: images, network: networks })
    .from(vms)
    .innerJoin(images, eq(images.id, vms.imageId))
    .innerJoin(networks, eq(networks.id, vms.networkId))
    .where(eq(vms.id, vmId));
  if (row) return { ...row, takenAt };
  throw new CumulusError("internal", `VM ${vmId} has lost its image or its network.`);
}
