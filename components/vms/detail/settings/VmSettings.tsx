"use client";

import { useShownVm } from "../vmContext";
import { CdromCard } from "./CdromCard";
import { DestroyCard } from "./DestroyCard";
import { RenameCard } from "./RenameCard";
import { ResizeCard } from "./ResizeCard";

export function VmSettings() {
  const vm = useShownVm();
  return (
    <div className="grid max-w-3xl gap-4">
      <RenameCard key={vm.name} vm={vm} />
      <ResizeCard vm={vm} />
      <CdromCard vm={vm} />
      <DestroyCard vm={vm} />
    </div>
  );
}
