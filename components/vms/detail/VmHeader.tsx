"use client";

import { usePathname } from "next/navigation";
import type { Vm } from "../../../lib/domain/vm";
import { Badge } from "../../ui/Badge";
import { CopyText } from "../../ui/CopyText";
import { cx } from "../../ui/cx";
import { VmStatusLine } from "../shared/VmStatusLine";
import { hasSsh } from "../shared/vmWords";
import { VmPowerBar } from "./VmPowerBar";
import { isConsolePath } from "./vmPaths";

/** Who this VM is, how it is, how to reach it, and its power buttons. */
export function VmHeader({ vm }: { vm: Vm }) {
  return (
    <header className="mb-4">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-3">
        <div className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1">
          <h1 className="truncate font-medium text-xl tracking-tight">{vm.name}</h1>
          <VmStatusLine vm={vm} />
          {vm.status === "running" && vm.firstBoot.errors.length > 0 ? (
            <Badge tone="warn">{vm.isReady ? "ready with errors" : "errors in its first boot"}</Badge>
          ) : null}
        </div>
        <VmPowerBar vm={vm} />
      </div>
      <div
        className={cx(
          "mt-1.5 flex min-w-0 flex-wrap items-center gap-x-5 gap-y-1 text-muted text-sm",
          // On a phone the console needs the room more.
          isConsolePath(usePathname()) && "max-sm:hidden",
        )}
      >
        <CopyText text={vm.ipv4} what="address" />
        {hasSsh(vm) ? <CopyText text={vm.ssh.command} what="ssh command" /> : null}
      </div>
    </header>
  );
}
