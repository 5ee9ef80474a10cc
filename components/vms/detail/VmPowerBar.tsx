"use client";

import { Copy, Disc3, Download, X } from "lucide-react";
import dynamic from "next/dynamic";
import { usePathname } from "next/navigation";
import { useState } from "react";
import { whyNoSnapshotAct } from "../../../lib/domain/snapshotActions";
import type { Vm } from "../../../lib/domain/vm";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { IconButton } from "../../ui/IconButton";
import { Kbd } from "../../ui/Kbd";
import { MenuItem, MenuSeparator } from "../../ui/Menu";
import { Tooltip } from "../../ui/Tooltip";
import { DestroyDialog } from "../actions/DestroyDialog";
import { useVmActs, type VmActs } from "../actions/useVmActs";
import { VmMoreMenu } from "../actions/VmMoreMenu";
import { type PowerAct, vmActs } from "../actions/vmActs";
import { whyNotNow } from "../actions/whyNotNow";
import { keysOfShortcut, useShortcuts } from "../shared/useShortcuts";
import { isConsolePath } from "./vmPaths";

const CloneDialog = dynamic(() => import("../../snapshots/CloneDialog").then((module) => module.CloneDialog));
const ExportDialog = dynamic(() => import("../../snapshots/ExportDialog").then((module) => module.ExportDialog));

const MakeImageDialog = dynamic(() =>
  import("../../images/capture/MakeImageDialog").then((module) => module.MakeImageDialog),
);

const buttons: readonly PowerAct[] = ["start", "shutdown", "stop", "reboot"];
const inMenu: readonly PowerAct[] = ["reset", "pause", "resume"];

/** A VM's power buttons. A key does the same as its button, and like it does nothing while the act is not allowed. */
export function VmPowerBar({ vm }: { vm: Vm }) {
  const acts = useVmActs(vm);
  const [asked, setAsked] = useState<"clone" | "image" | "export" | "destroy">();
  const close = () => setAsked(undefined);
  usePowerKeys(vm, (act) => void acts.run(act));
  return (
    <div className="flex max-w-full flex-col items-end gap-2 max-sm:w-full max-sm:items-start">
      <fieldset aria-label="Power" className="flex min-w-0 flex-wrap items-center gap-1.5">
        {buttons.map((act) => (
          <PowerButton key={act} act={act} vm={vm} acts={acts} />
        ))}
        <VmMoreMenu vm={vm} acts={acts} offered={inMenu} onDestroy={() => setAsked("destroy")}>
          <MenuItem
            icon={<Copy aria-hidden />}
            disabledReason={whyNoSnapshotAct("clone", vm.status)}
            onSelect={() => setAsked("clone")}
          >
            Clone…
          </MenuItem>
          <MenuItem
            icon={<Disc3 aria-hidden />}
            disabledReason={whyNoSnapshotAct("image", vm.status)}
            onSelect={() => setAsked("image")}
          >
            Make image…
          </MenuItem>
          <MenuItem
            icon={<Download aria-hidden />}
            disabledReason={whyNoSnapshotAct("export", vm.status)}
            onSelect={() => setAsked("export")}
          >
            Export…
          </MenuItem>
          <MenuSeparator />
        </VmMoreMenu>
      </fieldset>
      {acts.error ? (
        <Banner
          tone="bad"
          action={<IconButton size="iconSm" label="Dismiss" icon={<X aria-hidden />} onClick={acts.dismissError} />}
          className="max-w-md"
        >
          {acts.error}
        </Banner>
      ) : null}
      <DestroyDialog vms={asked === "destroy" ? [vm] : []} onClose={close} />
      {asked === "clone" ? <CloneDialog vm={vm} onClose={close} /> : null}
      {asked === "image" ? <MakeImageDialog vm={vm} onClose={close} /> : null}
      {asked === "export" ? <ExportDialog what={vm.name} path={`/api/vms/${vm.id}`} onClose={close} /> : null}
    </div>
  );
}

function PowerButton({ act, vm, acts }: { act: PowerAct; vm: Vm; acts: VmActs }) {
  const { label, icon: Icon, explanation, shortcut } = vmActs[act];
  const reason = whyNotNow(act, vm.status);
  const button = (
    <Button
      icon={<Icon aria-hidden />}
      variant={act === "start" && reason === undefined ? "primary" : "secondary"}
      loading={acts.pending === act}
      disabledReason={reason}
      onClick={() => void acts.run(act)}
    >
      {label}
    </Button>
  );
  // A disabled button brings its own tooltip.
  if (reason !== undefined) return button;
  const tip = (
    <>
      {explanation} <Kbd>{keysOfShortcut(shortcut).join(" ")}</Kbd>
    </>
  );
  return <Tooltip content={tip}>{button}</Tooltip>;
}

const actNames = Object.keys(vmActs) as PowerAct[];

/** On the console's pages keys belong to the guest: a stray one must not turn it off. */
function usePowerKeys(vm: Vm, run: (act: PowerAct) => void): void {
  const isGuestsPage = isConsolePath(usePathname());
  const press = (key: string) => {
    const act = actNames.find((each) => vmActs[each].shortcut === key && whyNotNow(each, vm.status) === undefined);
    if (act && !isGuestsPage) run(act);
  };
  useShortcuts(Object.fromEntries(actNames.map((act) => [vmActs[act].shortcut, () => press(vmActs[act].shortcut)])));
}
