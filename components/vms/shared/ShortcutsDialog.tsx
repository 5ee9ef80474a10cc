"use client";

import dynamic from "next/dynamic";
import { useState } from "react";
import { Dialog } from "../../ui/Dialog";
import { useShortcuts } from "./useShortcuts";

const ShortcutList = dynamic(() => import("./ShortcutList").then((module) => module.ShortcutList));

export interface ShortcutHint {
  keys: string[];
  does: string;
}

/** Opens on "?": the keys of this page. Its content is loaded when it first opens. */
export function ShortcutsDialog({ hints }: { hints: ShortcutHint[] }) {
  const [isOpen, setOpen] = useState(false);
  useShortcuts({ "?": () => setOpen(true) });
  return (
    <Dialog open={isOpen} onOpenChange={setOpen} title="Keyboard shortcuts">
      <ShortcutList hints={hints} />
    </Dialog>
  );
}
