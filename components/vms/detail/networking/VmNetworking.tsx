"use client";

import { ReadingState } from "../../../data/ReadingState";
import { PendingBanner } from "../../../networks/PendingBanner";
import { useVmNetworking } from "../../../networks/useNetworkData";
import { Banner } from "../../../ui/Banner";
import { useShownVm } from "../vmContext";
import { DiagnoseCard } from "./DiagnoseCard";
import { ForwardsCard } from "./ForwardsCard";
import { InterfacesCard } from "./InterfacesCard";
import { ReachCard } from "./ReachCard";
import { VmFirewallsCard } from "./VmFirewallsCard";

/** How a VM is plugged in, who may reach it, and how. */
export function VmNetworking() {
  const vm = useShownVm();
  const networking = useVmNetworking(vm);
  return (
    <ReadingState reading={networking} what="networking">
      {(data) => (
        <div className="grid grid-cols-1 gap-4">
          {data.whyNot ? (
            <Banner
              tone="warn"
              title={
                data.driver === "user"
                  ? "Firewalls, limits and further interfaces are not in effect"
                  : "Interfaces, forwards, limits and firewalls can't be changed here"
              }
            >
              {data.whyNot}
            </Banner>
          ) : null}
          <PendingBanner />
          <InterfacesCard vm={vm} networking={data} onRefresh={networking.reload} />
          <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
            <div className="grid grid-cols-1 gap-4">
              <ForwardsCard vm={vm} networking={data} />
              <VmFirewallsCard vm={vm} networking={data} />
            </div>
            <div className="grid grid-cols-1 gap-4">
              <DiagnoseCard vm={vm} interfaces={data.interfaces} />
              <ReachCard vm={vm} networking={data} />
            </div>
          </div>
        </div>
      )}
    </ReadingState>
  );
}
