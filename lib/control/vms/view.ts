import { and, asc, eq, getTableColumns, ilike, isNull } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import type { Queryable } from "../../db/client";
import { hosts } from "../../db/schema/hosts";
import { images } from "../../db/schema/images";
import { networks } from "../../db/schema/networks";
import { vmInterfaces } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import { firstBootFailure, firstBootStages } from "../../domain/firstBootReport";
import type { NetworkDriver } from "../../domain/machine";
import { sinceStartMs, timelineOf } from "../../domain/timeline";
import type { Vm } from "../../domain/vm";
import { type VmStatus, vmStatus } from "../../domain/vmStatus";
import type { Context } from "../context";
import { firmwareOf } from "./firmware";
import { loginUserOf } from "./loginUser";
import { readMadeFrom } from "./madeFrom";

export type VmRow = typeof vms.$inferSelect;

export interface FurtherLink {
  link: typeof vmInterfaces.$inferSelect;
  network: typeof networks.$inferSelect;
}

/** A VM's row with what it refers to. */
export interface VmRecord {
  vm: VmRow;
  image: typeof images.$inferSelect;
  network: typeof networks.$inferSelect;
  host: typeof hosts.$inferSelect;
  furtherLinks: FurtherLink[];
  /** The ISO that is to lie in its CD-ROM drive. */
  cdrom: typeof images.$inferSelect | null;
}

/** What people see of a VM needs all but what only the converger reads; user data and files can be large. */
const { userData, files, firstBoot, stopMode, stopDeadlineAt, bootCount, deletedAt, ...shownColumns } =
  getTableColumns(vms);
type ShownVmRow = Pick<VmRow, keyof typeof shownColumns>;

/** Live VMs by name. What many of them refer to is read once, not joined to each: a host's report is a document of its own. */
export async function listVms({ db }: Context, filter: { search?: string | undefined }): Promise<Vm[]> {
  const matches = filter.search ? ilike(vms.name, `%${filter.search.replace(/[\\%_]/g, "\\$&")}%`) : undefined;
  const rows = await db
    .select(shownColumns)
    .from(vms)
    .where(and(isNull(vms.deletedAt), matches))
    .orderBy(asc(vms.name));
  const [allImages, allNetworks, allHosts, madeFrom] = await Promise.all([
    db.select().from(images),
    db.select().from(networks),
    db.select().from(hosts),
    readMadeFrom(db),
  ]);
  const [imageOf, networkOf, hostOf] = [findById(allImages), findById(allNetworks), findById(allHosts)];
  const now = Date.now();
  return rows.map((vm) =>
    toVm(
      {
        vm,
        image: imageOf(vm.imageId),
        network: networkOf(vm.networkId),
        host: hostOf(vm.hostId),
        cdrom: vm.cdromImageId === null ? null : imageOf(vm.cdromImageId),
        madeFrom: madeFrom.get(vm.id) ?? null,
      },
      now,
    ),
  );
}

function findById<Row extends { id: number }>(rows: readonly Row[]): (id: number) => Row {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return (id) => {
    const row = byId.get(id);
    if (!row) throw new CumulusError("internal", `A VM refers to row ${id}, which is not there.`);
    return row;
  };
}

/** @throws `not_found` also for a VM that was destroyed */
export async function getVm(context: Context, id: number): Promise<Vm> {
  const record = await getVmRecord(context.db, id);
  const madeFrom = record.vm.fromSnapshotId === null ? null : (await readMadeFrom(context.db, id)).get(id);
  return toVm({ ...record, madeFrom: madeFrom ?? null }, Date.now());
}

const cdroms = alias(images, "cdroms");

/** The interfaces of a VM beyond its first, each with its network. */
async function furtherLinksOf(db: Queryable, vmId: number): Promise<FurtherLink[]> {
  return db
    .select({ link: vmInterfaces, network: networks })
    .from(vmInterfaces)
    .innerJoin(networks, eq(networks.id, vmInterfaces.networkId))
    .where(eq(vmInterfaces.vmId, vmId))
    .orderBy(asc(vmInterfaces.interfaceId));
}

export async function getVmRecord(db: Queryable, id: number): Promise<VmRecord> {
  const [row] = await db
    .select({ vm: vms, image: images, network: networks, host: hosts, cdrom: cdroms })
    .from(vms)
    .innerJoin(images, eq(images.id, vms.imageId))
    .innerJoin(networks, eq(networks.id, vms.networkId))
    .innerJoin(hosts, eq(hosts.id, vms.hostId))
    .leftJoin(cdroms, eq(cdroms.id, vms.cdromImageId))
    .where(and(eq(vms.id, id), isNull(vms.deletedAt)));
  if (!row) throw vmNotFound(id);
  return { ...row, furtherLinks: await furtherLinksOf(db, id) };
}

export function vmNotFound(id: number): CumulusError {
  return new CumulusError("not_found", `There is no VM ${id}.`);
}

/** What people see, derived from what is wanted and what was seen. */
export function statusOf(vm: ShownVmRow, nowMs: number): VmStatus {
  return vmStatus({
    desired: vm.desired,
    observed: vm.observed,
    observedAtMs: vm.observedAt?.getTime() ?? null,
    nowMs,
    lastError: vm.lastError,
    isSettled: vm.settledGeneration === vm.generation,
    hasRun: vm.settledGeneration > 0,
  });
}

type ShownRecord = Omit<VmRecord, "vm" | "furtherLinks"> & { vm: ShownVmRow; madeFrom: Vm["madeFrom"] };

export function toVm({ vm, image, network, host, cdrom, madeFrom }: ShownRecord, nowMs: number): Vm {
  const status = statusOf(vm, nowMs);
  const { driver, nextDriver } = driversOf(vm, host);
  // Of what is installed by hand nobody knows whether it will ever answer.
  const isByHand = image.kind === "iso";
  const { ssh, started } = vm.milestones;
  const isReady = status === "running" && (ssh !== undefined || (isByHand && started !== undefined));
  const progressing = status === "creating" || status === "starting" || (status === "running" && !isReady);
  const since = status === "unreachable" ? (vm.observedAt ?? vm.intentAt) : latest(vm.observedSince, vm.intentAt);
  return {
    id: vm.id,
    name: vm.name,
    status,
    statusReason: statusReason(vm, status) ?? (status === "running" ? whyToStartAnew(nextDriver) : null),
    statusSince: since.toISOString(),
    desired: vm.desired,
    observed: vm.observed,
    observedAt: vm.observedAt?.toISOString() ?? null,
    isReady,
    image: { id: image.id, name: image.name, title: image.title, kind: image.kind },
    madeFrom,
    arch: image.arch,
    isEmulated: host.report !== null && host.report.arch !== image.arch,
    firmware: firmwareOf(vm, image),
    cdrom: cdrom && { id: cdrom.id, name: cdrom.name, title: cdrom.title },
    isCdromChanging: vm.observedCdrom !== (cdrom?.sha256 ?? null),
    bootFrom: vm.bootFrom,
    size: { name: vm.sizeName, vcpus: vm.vcpus, memoryBytes: vm.memoryBytes, diskBytes: vm.diskBytes },
    network: { name: network.name, driver, nextDriver },
    ipv4: vm.ipv4,
    mac: vm.mac,
    host: { id: host.id, name: host.name },
    ssh: sshOf(vm, loginUserOf(vm, image), driver),
    sshKeys: vm.sshKeys.map(({ name, fingerprint }) => ({ name, fingerprint })),
    timeline: timelineOf(vm.milestones, {
      isProgressing: progressing,
      isByHand,
      isSettingUp: status === "running" && Object.keys(vm.firstBootReport.stages).length > 0,
      failure: status === "failed" ? (vm.lastError ?? vm.observedReason) : null,
    }),
    firstBoot: firstBootOf(vm),
    createdAt: vm.createdAt.toISOString(),
    updatedAt: vm.updatedAt.toISOString(),
  };
}

function statusReason(vm: ShownVmRow, status: VmStatus): string | null {
  if (vm.lastError !== null) return vm.lastError;
  if (status === "unreachable" && vm.observed !== "unresponsive") return "The host has not been heard of.";
  const failure = status === "running" ? firstBootFailure(vm.firstBootReport) : null;
  return failure === null ? vm.observedReason : `Ready with errors: ${failure}`;
}

function firstBootOf({ milestones, firstBootReport }: ShownVmRow): Vm["firstBoot"] {
  const { stages, warnings, errors } = firstBootReport;
  return {
    stages: firstBootStages.flatMap((stage) => {
      const at = stages[stage];
      return at === undefined ? [] : [{ stage, at, sinceStartMs: sinceStartMs(milestones, at) }];
    }),
    warnings,
    errors,
  };
}

/** How a VM is connected: as its QEMU was started, though the host may do networks another way by now. */
export function driversOf(
  { observedLink }: Pick<VmRow, "observedLink">,
  host: VmRecord["host"],
): { driver: NetworkDriver; nextDriver: NetworkDriver | null } {
  const next = host.report?.network.driver ?? "user";
  const driver = observedLink?.driver ?? next;
  return { driver, nextDriver: driver === next ? null : next };
}

/** What keeps a running VM in networks of the other kind than its host has now; null when nothing does. */
export function whyToStartAnew(nextDriver: NetworkDriver | null): string | null {
  if (nextDriver === null) return null;
  return nextDriver === "bridge"
    ? "It still runs with the user-mode network that it was started with. Stop it and start it: it then joins its network."
    : "It still runs on its network's bridge, which the host keeps for it until it stops. From its next start on it has a user-mode network.";
}

/**
 * By the VM's own address where the host has a bridge to it, else by a port of the host. Every VM keeps its own name in known_hosts, since addresses and ports are used again;
 * its key is taken at the first connection and checked from then on.
 */
function sshOf(vm: ShownVmRow, user: string, driver: NetworkDriver): Vm["ssh"] {
  const [host, port] = driver === "bridge" ? [vm.ipv4, 22] : ["127.0.0.1", vm.observedLink?.port ?? vm.sshHostPort];
  const alias = `cumulus-${vm.id}-${vm.uuid.slice(0, 8)}`;
  const options = `-o HostKeyAlias=${alias} -o StrictHostKeyChecking=accept-new`;
  const command = `ssh ${port === 22 ? "" : `-p ${port} `}${options} ${user}@${host}`;
  return { user, host, port, options, command };
}

function latest(a: Date, b: Date): Date {
  return a > b ? a : b;
}
