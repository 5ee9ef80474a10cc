"use client";

import { useShownVm } from "../vmContext";
import { LazySerialConsole, LazyVncConsole } from "./lazyConsoles";

/** The tabs Console and Serial: what is left of the window under the VM's header. */
export function VmConsole({ kind }: { kind: "vnc" | "serial" }) {
  const vm = useShownVm();
  const Console = kind === "vnc" ? LazyVncConsole : LazySerialConsole;
  return (
    <div className="h-[calc(100dvh-15.5rem)] min-h-96 overflow-hidden rounded-lg border border-line max-sm:h-[calc(100dvh-22.5rem)]">
      <Console vmId={vm.id} vmName={vm.name} status={vm.status} />
    </div>
  );
}
