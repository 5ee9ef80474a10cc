import { StatusDot } from "../../ui/StatusDot";
import type { ConnectionLook } from "./consoleWords";

/** The state of a console's connection, read out when it changes. */
export function ConnectionStatus({ look, extra }: { look: ConnectionLook; extra?: string }) {
  return (
    <p role="status" className="flex items-center gap-2 whitespace-nowrap text-sm">
      <StatusDot tone={look.tone} moving={look.moving ?? false} />
      <span>{look.word}</span>
      {extra ? <span className="text-faint text-xs">{extra}</span> : null}
    </p>
  );
}
