"use client";

import type { Vm } from "../../../lib/domain/vm";
import { Checkbox } from "../../ui/Checkbox";
import { Table, TableBody, TableHead, Th } from "../../ui/Table";
import { SortableTh } from "./SortableTh";
import type { Selection } from "./useSelection";
import { VmRow } from "./VmRow";
import type { VmSort, VmSortKey } from "./vmQuery";

interface VmTableProps {
  /** The rows of this page. */
  vms: Vm[];
  sort: VmSort;
  onSort: (sort: VmSort) => void;
  selection: Selection<Vm>;
  onDestroy: (vm: Vm) => void;
}

const columns: { key: VmSortKey; label: string; className?: string }[] = [
  { key: "name", label: "Name" },
  { key: "status", label: "Status", className: "w-60" },
  { key: "image", label: "Image" },
  { key: "size", label: "Size", className: "max-lg:hidden" },
  { key: "address", label: "Address" },
  { key: "host", label: "Host", className: "max-xl:hidden" },
  { key: "created", label: "Created", className: "max-lg:hidden" },
];

export function VmTable({ vms, sort, onSort, selection, onDestroy }: VmTableProps) {
  const chosenCount = vms.filter(selection.has).length;
  const isAllChosen = chosenCount === vms.length;
  return (
    <Table
      label="Virtual machines"
      className="rounded-lg border border-line bg-surface max-md:[&_table]:block max-md:[&_tbody]:block max-md:[&_thead]:sr-only"
    >
      <TableHead>
        <Th>
          <span className="flex">
            <Checkbox
              aria-label="Select all on this page"
              checked={isAllChosen}
              indeterminate={chosenCount > 0 && !isAllChosen}
              onChange={(event) => selection.set(vms, event.target.checked)}
            />
          </span>
        </Th>
        {columns.map(({ key, label, className }) => (
          <SortableTh key={key} sortKey={key} sort={sort} onSort={onSort} {...(className ? { className } : {})}>
            {label}
          </SortableTh>
        ))}
        <Th className="text-right">
          <span className="sr-only">Actions</span>
        </Th>
      </TableHead>
      <TableBody>
        {vms.map((vm) => (
          <VmRow key={vm.id} vm={vm} isSelected={selection.has(vm)} onSelect={selection.setOne} onDestroy={onDestroy} />
        ))}
      </TableBody>
    </Table>
  );
}
