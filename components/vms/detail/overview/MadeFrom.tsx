import type { Vm } from "../../../../lib/domain/vm";
import { TextLink } from "../../../ui/TextLink";

/** What a VM was made from, with the ways there: the snapshot's to its row, the VM's to its page. */
export function MadeFrom({ snapshot, vm }: NonNullable<Vm["madeFrom"]>) {
  const source = vm.deleted ? `${vm.name} (destroyed)` : <TextLink href={`/vms/${vm.id}`}>{vm.name}</TextLink>;
  if (snapshot === null) return <>A clone of {source}</>;
  const listedAt = vm.deleted ? "/snapshots" : `/vms/${vm.id}/snapshots`;
  return (
    <>
      {snapshot.deleted ? `${snapshot.name} (deleted)` : <TextLink href={listedAt}>{snapshot.name}</TextLink>}, a
      snapshot of {source}
    </>
  );
}
