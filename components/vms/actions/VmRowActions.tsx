"use client";

import { Disc3 } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { whyNoSnapshotAct } from "../../../lib/domain/snapshotActions";
import type { Vm } from "../../../lib/domain/vm";
import { IconButton } from "../../ui/IconButton";
import { MenuItem, MenuSeparator } from "../../ui/Menu";
import type { VmActs } from "./useVmActs";
import { VmMoreMenu } from "./VmMoreMenu";
import { type PowerAct, vmActs } from "./vmActs";
import { whyNotNow } from "./whyNotNow";

const MakeImageDialog = dynamic(() =>
  import("../../images/capture/MakeImageDialog").then((module) => module.MakeImageDialog),
);

const buttons: readonly PowerAct[] = ["start", "stop"];
const inMenu: readonly PowerAct[] = ["shutdown", "reboot", "reset", "pause", "resume"];

/** A row's buttons: Start, Stop, and the rest in a menu. */
export function VmRowActions({ vm, acts, onDestroy }: { vm: Vm; acts: VmActs; onDestroy: () => void }) {
  const [asksForImage, setAsksForImage] = useState(false);
  return (
    <span className="inline-flex items-center gap-0.5">
      {buttons.map((act) => {
        const { label, icon: Icon } = vmActs[act];
        return (
          <IconButton
            key={act}
            size="iconSm"
            label={`${label} ${vm.name}`}
            icon={<Icon aria-hidden />}
            loading={acts.pending === act}
            disabledReason={whyNotNow(act, vm.status)}
            onClick={() => void acts.run(act)}
          />
        );
      })}
      <VmMoreMenu vm={vm} acts={acts} offered={inMenu} withLinks size="iconSm" onDestroy={onDestroy}>
        <MenuItem
          icon={<Disc3 aria-hidden />}
          disabledReason={whyNoSnapshotAct("image", vm.status)}
          onSelect={() => setAsksForImage(true)}
        >
          Make image…
        </MenuItem>
        <MenuSeparator />
      </VmMoreMenu>
      {asksForImage ? <MakeImageDialog vm={vm} onClose={() => setAsksForImage(false)} /> : null}
    </span>
  );
}
