"use client";

import { useState } from "react";
import { Dialog } from "../../ui/Dialog";
import { Kbd } from "../../ui/Kbd";
import { useShortcuts } from "./useShortcuts";

export interface ShortcutHint {
  keys: string[];
  does: string;
}

const everywhere: ShortcutHint[] = [
  { keys: ["Ctrl", "K"], does: "Search everything, or run a command" },
  { keys: ["?"], does: "Show these keys" },
];

/** Opens on "?": the keys of this page. */
export function ShortcutsDialog({ hints }: { hints: ShortcutHint[] }) {
  const [isOpen, setOpen] = useState(false);
  useShortcuts({ "?": () => setOpen(true) });
  return (
    <Dialog open={isOpen} onOpenChange={setOpen} title="Keyboard shortcuts">
      <dl className="grid grid-cols-[max-content_1fr] items-center gap-x-6 gap-y-2 text-sm">
        {[...hints, ...everywhere].map((hint) => (
          <div key={hint.does} className="contents">
            <dt className="flex gap-1">
              {hint.keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dt>
            <dd>{hint.does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
