import type { Vm } from "../../../lib/domain/vm";
import { Banner } from "../../ui/Banner";

/** What has to be known about a VM before anything else: why it failed, that it is going, what it complained of. */
export function VmNotice({ vm }: { vm: Vm }) {
  if (vm.status === "deleting") {
    return (
      <Banner tone="warn" title={`${vm.name} is being destroyed`} className="mb-4">
        Its disk is being removed. You come back to the list when it is gone.
      </Banner>
    );
  }
  if (vm.status === "failed") {
    return (
      <Banner tone="bad" title={`${vm.name} failed`} className="mb-4">
        {vm.statusReason} Start tries again; the activity and the serial log may tell more.
      </Banner>
    );
  }
  if (vm.status === "unreachable") {
    return (
      <Banner tone="warn" title={`${vm.name} can't be seen at the moment`} className="mb-4">
        {vm.statusReason} It may well be running. What is shown is what was seen last.
      </Banner>
    );
  }
  if (!vm.statusReason) return null;
  return (
    <Banner tone={vm.status === "running" ? "warn" : "neutral"} className="mb-4">
      {vm.statusReason}
    </Banner>
  );
}
