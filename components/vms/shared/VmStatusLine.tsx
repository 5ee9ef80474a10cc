import type { Vm } from "../../../lib/domain/vm";
import { RelativeTime } from "../../ui/RelativeTime";
import { StatusDot } from "../../ui/StatusDot";
import { inkTone } from "../../ui/tone";
import { statusLook } from "./statusLook";

type Shown = Pick<Vm, "status" | "statusSince" | "observedAt">;

/** Dot, word and time: "● Running · 3 min ago", "○ Unreachable · last seen 40 s ago". */
export function VmStatusLine({ vm }: { vm: Shown }) {
  const { word, tone, moving, hollow } = statusLook[vm.status];
  const wasLastSeen = vm.status === "unreachable" && vm.observedAt !== null;
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap">
      <StatusDot tone={tone} moving={moving} hollow={hollow} />
      <span className={vm.status === "failed" ? inkTone.bad : undefined}>{word}</span>
      <span className="text-faint text-xs">
        {wasLastSeen ? "last seen " : null}
        <RelativeTime at={wasLastSeen && vm.observedAt ? vm.observedAt : vm.statusSince} />
      </span>
    </span>
  );
}
