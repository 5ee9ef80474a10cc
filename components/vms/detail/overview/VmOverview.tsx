"use client";

import { useVms } from "../../../data/hooks";
import { usualReadyMs } from "../../shared/vmWords";
import { useShownVm } from "../vmContext";
import { ConnectCard } from "./ConnectCard";
import { FactsCard } from "./FactsCard";
import { ScreenCard } from "./ScreenCard";
import { Timeline } from "./Timeline";

/** The first tab: how far it is, what its screen shows, how to get in. */
export function VmOverview() {
  const vm = useShownVm();
  const { data: vms = [] } = useVms();
  const others = vms.filter((other) => other.id !== vm.id);
  // On narrow screens the columns dissolve, and the order is by what one looks for first.
  return (
    <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.1fr)]">
      <div className="grid gap-4 max-lg:contents">
        <Timeline vm={vm} usualMs={usualReadyMs(others, vm.image.id)} />
        <div className="max-lg:order-1">
          <FactsCard vm={vm} />
        </div>
      </div>
      <div className="grid gap-4 max-lg:contents">
        <ScreenCard vm={vm} />
        <ConnectCard vm={vm} />
      </div>
    </div>
  );
}
