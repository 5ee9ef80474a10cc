import { vmActs } from "../actions/vmActs";
import type { ShortcutHint } from "../shared/ShortcutsDialog";
import { keysOfShortcut } from "../shared/useShortcuts";

/** The keys of a VM's page, for the list of them. */
export const vmPageHints: ShortcutHint[] = Object.values(vmActs).map(({ label, shortcut, explanation }) => ({
  keys: keysOfShortcut(shortcut),
  does: `${label}: ${explanation}`,
}));
