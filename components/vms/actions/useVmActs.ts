"use client";

import { useState } from "react";
import { useSWRConfig } from "swr";
import { messageOf } from "../../../lib/domain/errors";
import type { Vm } from "../../../lib/domain/vm";
import { keys } from "../../data/keys";
import type { PowerAct } from "./vmActs";
import { requestAct } from "./vmRequests";

export interface VmActs {
  /** The act that is being asked for. */
  pending: PowerAct | undefined;
  /** Why the last one was refused: shown beside the buttons. */
  error: string | undefined;
  dismissError: () => void;
  run: (act: PowerAct) => Promise<void>;
}

/** The power buttons of one VM. */
export function useVmActs(vm: Pick<Vm, "id">): VmActs {
  const { mutate } = useSWRConfig();
  const [pending, setPending] = useState<PowerAct>();
  const [error, setError] = useState<string>();
  const run = async (act: PowerAct) => {
    setPending(act);
    setError(undefined);
    try {
      await requestAct(vm.id, act);
      await Promise.all([mutate(keys.vm(vm.id)), mutate(keys.vms)]);
    } catch (thrown) {
      setError(messageOf(thrown));
    } finally {
      setPending(undefined);
    }
  };
  return { pending, error, dismissError: () => setError(undefined), run };
}
