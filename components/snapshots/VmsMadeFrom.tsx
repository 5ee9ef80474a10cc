import { Fragment } from "react";
import type { Snapshot } from "../../lib/domain/snapshot";
import { Badge } from "../ui/Badge";
import { TextLink } from "../ui/TextLink";
import { vmsMadeWords } from "./snapshotWords";

/** So many VMs are named, and the others counted. */
const namedVms = 3;

/** The live VMs that were made from a snapshot; nothing where there are none. */
export function VmsMadeFrom({ snapshot: { vmCount, vms } }: { snapshot: Snapshot }) {
  if (vmCount === 0) return null;
  const named = vms.slice(0, namedVms);
  const rest = vmCount - named.length;
  return (
    <div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-xs">
      <Badge>{vmsMadeWords(vmCount)}</Badge>
      <span className="wrap-anywhere">
        {named.map((vm, index) => (
          <Fragment key={vm.id}>
            {index > 0 ? ", " : null}
            <TextLink href={`/vms/${vm.id}`}>{vm.name}</TextLink>
          </Fragment>
        ))}
        {rest > 0 ? <span className="text-muted"> and {rest} more</span> : null}
      </span>
    </div>
  );
}
