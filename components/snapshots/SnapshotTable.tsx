"use client";

import type { Operation } from "../../lib/domain/operation";
import type { Snapshot } from "../../lib/domain/snapshot";
import type { Vm } from "../../lib/domain/vm";
import { isUnderWay } from "../activity/operationWords";
import { Table, TableBody, TableHead, Th } from "../ui/Table";
import { NowRow } from "./NowRow";
import { SnapshotRow } from "./SnapshotRow";
import { treeOf } from "./snapshotTree";

interface SnapshotTableProps {
  snapshots: readonly Snapshot[];
  /** Live VMs, as far as they are known. */
  vms: readonly Vm[];
  operations: readonly Operation[];
  /** The VM whose page it is on: where that is now stands in the tree. Without, each names its VM. */
  ofVm?: Vm;
}

/** Snapshots as the tree of what came from what. */
export function SnapshotTable({ snapshots, vms, operations, ofVm }: SnapshotTableProps) {
  const showVm = ofVm === undefined;
  const open = operations.filter(isUnderWay);
  return (
    <Table label="Snapshots">
      <TableHead>
        <Th>Snapshot</Th>
        {showVm ? <Th className="hidden sm:table-cell">VM</Th> : null}
        <Th className="hidden lg:table-cell">Holds</Th>
        <Th className="hidden text-right md:table-cell">Pause</Th>
        <Th className="hidden text-right sm:table-cell">Size</Th>
        <Th className="hidden md:table-cell">Taken</Th>
        <Th>
          <span className="sr-only">Actions</span>
        </Th>
      </TableHead>
      <TableBody>
        {treeOf(snapshots, { showsNow: !showVm }).map((branch) => {
          const { snapshot } = branch;
          if (snapshot === null) return <NowRow key="now" branch={branch} vmName={ofVm?.name ?? ""} />;
          return (
            <SnapshotRow
              key={snapshot.id}
              snapshot={snapshot}
              branch={branch}
              vm={vms.find(({ id }) => id === snapshot.vm.id)}
              operation={open.find(({ id }) => id === snapshot.operationId)}
              showVm={showVm}
            />
          );
        })}
      </TableBody>
    </Table>
  );
}
