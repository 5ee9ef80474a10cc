"use client";

import { type LucideIcon, Play, Power, RotateCw } from "lucide-react";
import { useState } from "react";
import { apiRequest } from "../../lib/api/client";
import { messageOf } from "../../lib/domain/errors";
import type { Vm } from "../../lib/domain/vm";
import { whyNot } from "../../lib/domain/vmStatus";
import { notify } from "../ui/notify";

interface PowerCommand {
  label: string;
  icon: LucideIcon;
  run: () => void;
}

const acts = [
  {
    action: "start",
    verb: "Start",
    icon: Play,
    offered: (vm: Vm) => vm.desired === "stopped" || vm.status === "failed",
  },
  { action: "shutdown", verb: "Shut down", icon: Power, offered: () => true },
  { action: "reboot", verb: "Reboot", icon: RotateCw, offered: () => true },
] as const;

/** Power acts of the palette: those that make sense for each VM now. An act that is refused leaves its reason in `error`. */
export function usePowerCommands(vms: Vm[], close: () => void) {
  const [error, setError] = useState<string>();
  const attempt = (act: () => Promise<unknown>) => {
    setError(undefined);
    act().then(close, (thrown: unknown) => setError(messageOf(thrown)));
  };
  const commands: PowerCommand[] = vms.flatMap((vm) =>
    acts
      .filter(({ action, offered }) => offered(vm) && whyNot(action, vm.status) === undefined)
      .map(({ action, verb, icon }) => ({
        label: `${verb} ${vm.name}`,
        icon,
        run: () =>
          attempt(async () => {
            await apiRequest("POST", `/api/vms/${vm.id}/${action}`);
            notify(`${verb} ${vm.name}: accepted.`);
          }),
      })),
  );
  return { commands, error, attempt };
}
