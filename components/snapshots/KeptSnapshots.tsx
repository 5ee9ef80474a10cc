"use client";

import type { Vm } from "../../lib/domain/vm";
import { useSnapshots } from "../data/hooks";
import { Checkbox } from "../ui/Checkbox";

interface KeptSnapshotsProps {
  /** VMs that are to be destroyed. */
  vms: readonly Pick<Vm, "id">[];
  /** Whether their snapshots are to go with them. */
  isDeleting: boolean;
  onChange: (isDeleting: boolean) => void;
}

/** How many snapshots VMs leave behind, and the choice to delete them too. Nothing when there are none. */
export function KeptSnapshots({ vms, isDeleting, onChange }: KeptSnapshotsProps) {
  const { data: snapshots = [] } = useSnapshots();
  const ids = new Set(vms.map(({ id }) => id));
  const count = snapshots.filter(({ vm }) => ids.has(vm.id)).length;
  if (count === 0) return null;
  return (
    <div className="mt-3">
      <Checkbox
        checked={isDeleting}
        onChange={(event) => onChange(event.target.checked)}
        label={
          <>
            {count === 1 ? "Delete the snapshot, too" : `Delete the ${count} snapshots, too`}
            <span className="block text-xs">
              {isDeleting
                ? "Then nothing is left to make a VM like this from."
                : "Otherwise they stay, and new VMs can be made from them."}
            </span>
          </>
        }
      />
    </div>
  );
}
