import type { Vm } from "../../../lib/domain/vm";

/** Says changes of the status to screen readers. */
export function VmAnnouncer({ vm }: { vm: Vm }) {
  return (
    <p aria-live="polite" className="sr-only">
      {vm.name} is {vm.status}
      {vm.isReady ? " and ready" : ""}. {vm.statusReason}
    </p>
  );
}
