import { Kbd } from "../../ui/Kbd";
import type { ShortcutHint } from "./ShortcutsDialog";

const everywhere: ShortcutHint[] = [
  { keys: ["Ctrl", "K"], does: "Search everything, or run a command" },
  { keys: ["?"], does: "Show these keys" },
];

/** The keys of a page, and those that work on all of them. */
export function ShortcutList({ hints }: { hints: ShortcutHint[] }) {
  return (
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
  );
}
