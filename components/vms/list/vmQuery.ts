import { ipv4ToNumber } from "../../../lib/domain/ipv4";
import type { Vm } from "../../../lib/domain/vm";
import type { VmStatus } from "../../../lib/domain/vmStatus";

export const vmSortKeys = ["name", "status", "image", "size", "address", "host", "created"] as const;
export type VmSortKey = (typeof vmSortKeys)[number];

export interface VmSort {
  key: VmSortKey;
  descending: boolean;
}

/** What needs attention first. */
const statusOrder: Record<VmStatus, number> = {
  failed: 0,
  unreachable: 1,
  creating: 2,
  starting: 3,
  stopping: 4,
  deleting: 5,
  running: 6,
  paused: 7,
  stopped: 8,
};

/** Whether each word of the search occurs in something that the row shows. An empty search matches all. */
export function matchesSearch(vm: Vm, search: string): boolean {
  const shown = [vm.name, String(vm.id), vm.status, vm.ipv4, vm.image.name, vm.image.title, vm.size.name, vm.host.name]
    .join("\n")
    .toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => shown.includes(word));
}

/** As people count: web-9 before web-10. */
const collator = new Intl.Collator("en", { numeric: true });

const compareBy: Record<VmSortKey, (a: Vm, b: Vm) => number> = {
  name: (a, b) => collator.compare(a.name, b.name),
  status: (a, b) => statusOrder[a.status] - statusOrder[b.status],
  image: (a, b) => collator.compare(a.image.title, b.image.title),
  size: (a, b) => a.size.memoryBytes - b.size.memoryBytes || a.size.vcpus - b.size.vcpus,
  address: (a, b) => ipv4ToNumber(a.ipv4) - ipv4ToNumber(b.ipv4),
  host: (a, b) => collator.compare(a.host.name, b.host.name),
  created: (a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt),
};

/** The VMs that match, in order; ties by id, so that rows don't jump when something else changes. */
export function searchAndSort(vms: readonly Vm[], search: string, sort: VmSort): Vm[] {
  const direction = sort.descending ? -1 : 1;
  return vms
    .filter((vm) => matchesSearch(vm, search))
    .sort((a, b) => direction * compareBy[sort.key](a, b) || a.id - b.id);
}

export const vmsPerPage = 50;

export interface Page<T> {
  items: T[];
  /** From 1. */
  page: number;
  pageCount: number;
}

/** A page of a list; a page beyond the last one is the last. */
export function pageOf<T>(items: readonly T[], wanted: number, perPage: number = vmsPerPage): Page<T> {
  const pageCount = Math.max(1, Math.ceil(items.length / perPage));
  const page = Math.min(Math.max(1, wanted), pageCount);
  return { items: items.slice((page - 1) * perPage, page * perPage), page, pageCount };
}
