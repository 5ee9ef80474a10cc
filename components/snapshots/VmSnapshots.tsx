"use client";

import { Camera, Copy } from "lucide-react";
import dynamic from "next/dynamic";
import { useSearchParams } from "next/navigation";
import { useState } from "react";
import { whyNoSnapshotAct } from "../../lib/domain/snapshotActions";
import { formatBytes } from "../../lib/domain/units";
import { useOperations, useSnapshotCost, useVmSnapshots } from "../data/hooks";
import { ReadingState } from "../data/ReadingState";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { useShownVm } from "../vms/detail/vmContext";
import { NoSnapshots } from "./NoSnapshots";
import { SnapshotTable } from "./SnapshotTable";

const TakeSnapshotDialog = dynamic(() => import("./TakeSnapshotDialog").then((module) => module.TakeSnapshotDialog));
const CloneDialog = dynamic(() => import("./CloneDialog").then((module) => module.CloneDialog));

/** A VM's snapshots. `?take` opens the dialog that takes one. */
export function VmSnapshots() {
  const vm = useShownVm();
  const snapshots = useVmSnapshots(vm.id);
  const operations = useOperations(vm.id);
  const [asked, setAsked] = useState(useSearchParams().has("take") ? "take" : null);
  const close = () => setAsked(null);
  const { data: cost } = useSnapshotCost(vm.id);
  const keptWords = snapshots.data?.length && cost ? ` All of them take ${formatBytes(cost.keptBytes)}.` : "";
  const takeButton = (
    <Button
      variant="primary"
      icon={<Camera aria-hidden />}
      disabledReason={whyNoSnapshotAct("snapshot", vm.status)}
      onClick={() => setAsked("take")}
    >
      Take snapshot
    </Button>
  );
  return (
    <>
      <Card
        flush
        title="Snapshots"
        description={`Each keeps what differs. They can be deleted in any order.${keptWords}`}
        actions={
          <>
            <Button
              icon={<Copy aria-hidden />}
              disabledReason={whyNoSnapshotAct("clone", vm.status)}
              onClick={() => setAsked("clone")}
            >
              Clone VM
            </Button>
            {snapshots.data?.length === 0 ? null : takeButton}
          </>
        }
      >
        <ReadingState reading={snapshots} what="snapshots">
          {(list) =>
            list.length === 0 ? (
              <NoSnapshots vmId={vm.id} action={takeButton} />
            ) : (
              <SnapshotTable snapshots={list} vms={[vm]} operations={operations.data ?? []} ofVm={vm} />
            )
          }
        </ReadingState>
      </Card>
      <TakeSnapshotDialog vm={vm} open={asked === "take"} onClose={close} />
      {asked === "clone" ? <CloneDialog vm={vm} onClose={close} /> : null}
    </>
  );
}
