"use client";

import { Trash2, X } from "lucide-react";
import { useState } from "react";
import { useSWRConfig } from "swr";
import type { Vm } from "../../../lib/domain/vm";
import type { VmAction } from "../../../lib/domain/vmStatus";
import { keys } from "../../data/keys";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { IconButton } from "../../ui/IconButton";
import { failureSummary, runForAll } from "../actions/runForAll";
import { type PowerAct, vmActs } from "../actions/vmActs";
import { requestAct } from "../actions/vmRequests";
import { whyNotNow } from "../actions/whyNotNow";

interface BulkBarProps {
  vms: Vm[];
  onClear: () => void;
  onDestroy: (vms: Vm[]) => void;
}

const { start, stop } = vmActs;

/** What can be done with all chosen VMs at once. An act leaves out those that it can't be asked of. */
export function BulkBar({ vms, onClear, onDestroy }: BulkBarProps) {
  const { mutate } = useSWRConfig();
  const [pending, setPending] = useState<PowerAct>();
  const [failure, setFailure] = useState<string | null>(null);
  const [isStopAsked, setStopAsked] = useState(false);
  const able = (action: VmAction) => vms.filter((vm) => whyNotNow(action, vm.status) === undefined);
  const reasonAgainst = (action: VmAction) =>
    able(action).length > 0 ? undefined : vms[0] && whyNotNow(action, vms[0].status);

  const run = async (act: PowerAct) => {
    const targets = able(act);
    setPending(act);
    setFailure(null);
    const failures = await runForAll(targets, (vm) => requestAct(vm.id, act));
    await mutate(keys.vms);
    setFailure(failureSummary(failures, targets.length));
    setPending(undefined);
  };

  return (
    <div className="sticky bottom-16 z-20 mx-auto mt-3 w-fit max-w-full animate-fade-in sm:bottom-4">
      {failure ? (
        <Banner tone="bad" className="mb-2 shadow-float">
          {failure}
        </Banner>
      ) : null}
      <section
        aria-label="Selected VMs"
        className="flex flex-wrap items-center gap-1.5 rounded-lg border border-line-strong bg-surface p-1.5 shadow-float"
      >
        <span aria-live="polite" className="px-2 text-sm tabular-nums">
          {vms.length} selected
        </span>
        <Button
          size="sm"
          icon={<start.icon aria-hidden />}
          loading={pending === "start"}
          disabledReason={reasonAgainst("start")}
          onClick={() => void run("start")}
        >
          Start
        </Button>
        <Button
          size="sm"
          icon={<stop.icon aria-hidden />}
          loading={pending === "stop"}
          disabledReason={reasonAgainst("stop")}
          onClick={() => setStopAsked(true)}
        >
          Stop
        </Button>
        <Button
          size="sm"
          variant="dangerGhost"
          icon={<Trash2 aria-hidden />}
          disabledReason={reasonAgainst("destroy")}
          onClick={() => onDestroy(able("destroy"))}
        >
          Destroy
        </Button>
        <IconButton size="iconSm" label="Clear the selection" icon={<X aria-hidden />} onClick={onClear} />
      </section>
      <ConfirmDialog
        open={isStopAsked}
        onOpenChange={setStopAsked}
        title={able("stop").length === 1 ? `Stop ${able("stop")[0]?.name}?` : `Stop ${able("stop").length} VMs?`}
        confirmLabel="Stop"
        onConfirm={() => run("stop")}
      >
        They are powered off at once: what the guests haven't written to their disks is lost. The disks stay.
      </ConfirmDialog>
    </div>
  );
}
