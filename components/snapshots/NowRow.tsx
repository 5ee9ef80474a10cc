import { Badge } from "../ui/Badge";
import { Td, Tr } from "../ui/Table";
import { SnapshotNode } from "./SnapshotNode";
import type { Branch } from "./snapshotTree";

interface NowRowProps {
  branch: Branch;
  vmName: string;
}

/** Where a VM is now in the tree of its snapshots. */
export function NowRow({ branch, vmName }: NowRowProps) {
  const { parent } = branch;
  return (
    <Tr aria-current="true">
      <SnapshotNode branch={branch}>
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="font-medium">Now</span>
          <Badge>You are here</Badge>
        </div>
        <p className="wrap-anywhere text-muted text-xs">
          {vmName} as it is: {parent ? `“${parent.name}”` : "what it was made from"}, and what it has written since.
        </p>
      </SnapshotNode>
      <Td className="hidden lg:table-cell" />
      <Td className="hidden md:table-cell" />
      <Td className="hidden sm:table-cell" />
      <Td className="hidden md:table-cell" />
      <Td />
    </Tr>
  );
}
