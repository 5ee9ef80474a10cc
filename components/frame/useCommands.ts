"use client";

import { BookOpen, Camera, FileUp, LogOut, type LucideIcon, Play, Plus, Power, RotateCw } from "lucide-react";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { apiRequest } from "../../lib/api/client";
import { messageOf } from "../../lib/domain/errors";
import { whyNoSnapshotAct } from "../../lib/domain/snapshotActions";
import type { Vm } from "../../lib/domain/vm";
import { whyNot } from "../../lib/domain/vmStatus";
import { leaveBy } from "../ui/leaving";
import { notify } from "../ui/notify";
import { sections } from "./sections";
import { signOut } from "./signOut";
import { themeIcons, themeNames } from "./ThemeMenu";
import { setTheme } from "./theme";
import { themes } from "./themeScript";

export interface PaletteCommand {
  label: string;
  icon: LucideIcon;
  run: () => void;
}

const powerVerbs = [
  { action: "start", verb: "Start", icon: Play },
  { action: "shutdown", verb: "Shut down", icon: Power },
  { action: "reboot", verb: "Reboot", icon: RotateCw },
] as const;

/** What the palette can do. An act that is refused leaves its reason in `error`; any other closes the palette. */
export function useCommands(vms: Vm[], close: () => void) {
  const router = useRouter();
  const [error, setError] = useState<string>();
  const attempt = (act: () => Promise<unknown>) => {
    setError(undefined);
    act().then(close, (thrown: unknown) => setError(messageOf(thrown)));
  };
  const go = (href: string) => () => {
    close();
    leaveBy(() => router.push(href));
  };

  const pages: PaletteCommand[] = [
    ...sections.map(({ href, label, icon }) => ({ label, icon, run: go(href) })),
    { label: "Docs", icon: BookOpen, run: go("/docs") },
  ];
  const acts: PaletteCommand[] = [
    { label: "Create a VM", icon: Plus, run: go("/vms/new") },
    { label: "Import a VM", icon: FileUp, run: go("/vms/import") },
    ...themes.map((theme) => ({
      label: `Theme: ${themeNames[theme].toLowerCase()}`,
      icon: themeIcons[theme],
      run: () => {
        setTheme(theme);
        close();
      },
    })),
    { label: "Sign out", icon: LogOut, run: () => attempt(signOut) },
  ];
  const powerActs: PaletteCommand[] = vms.flatMap((vm) =>
    powerVerbs
      .filter(
        ({ action }) => whyNot(action, vm.status) === undefined && !(action === "start" && vm.status === "running"),
      )
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
  const snapshotActs: PaletteCommand[] = vms
    .filter(({ status }) => whyNoSnapshotAct("snapshot", status) === undefined)
    .map(({ id, name }) => ({
      label: `Take a snapshot of ${name}`,
      icon: Camera,
      run: go(`/vms/${id}/snapshots?take`),
    }));
  return { pages, acts, vmActs: [...powerActs, ...snapshotActs], error };
}
