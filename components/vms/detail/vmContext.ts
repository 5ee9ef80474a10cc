"use client";

import { createContext, useContext } from "react";
import type { Vm } from "../../../lib/domain/vm";

export const VmContext = createContext<Vm | null>(null);

/** The VM whose page this is. */
export function useShownVm(): Vm {
  const vm = useContext(VmContext);
  if (!vm) throw new Error("useShownVm is for what stands inside VmFrame.");
  return vm;
}
