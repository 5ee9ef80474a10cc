import { ArrowDown, ArrowUp } from "lucide-react";
import { formatBytes } from "../../../../lib/domain/units";
import type { VmInterface, VmTraffic } from "../../../../lib/domain/vmNetworking";

interface TrafficTextProps {
  status: VmInterface["status"];
  /** What is told of it every second; undefined while nothing is. */
  live: VmTraffic["interfaces"][number] | undefined;
}

/** How fast an interface receives and sends now, and, where there is room, what it has carried in all. */
export function TrafficText({ status, live }: TrafficTextProps) {
  const total = live ?? status;
  if (total === null) return "–";
  return (
    <span className="flex flex-col tabular-nums">
      {live ? (
        <span className="flex flex-col text-ink md:flex-row md:gap-3">
          <Rate icon={ArrowDown} word="receives" bytesPerSecond={live.receivedBytesPerSecond} />
          <Rate icon={ArrowUp} word="sends" bytesPerSecond={live.sentBytesPerSecond} />
        </span>
      ) : null}
      <span className="text-muted text-xs max-md:hidden">
        in {formatBytes(total.receivedBytes)}, out {formatBytes(total.sentBytes)}
      </span>
    </span>
  );
}

interface RateProps {
  icon: typeof ArrowDown;
  word: string;
  bytesPerSecond: number | null;
}

/** As wide for any rate, so that nothing moves every second. */
function Rate({ icon: Icon, word, bytesPerSecond }: RateProps) {
  return (
    <span className="flex w-24 items-center gap-1">
      <Icon aria-hidden className="size-3 shrink-0 text-faint" />
      <span className="sr-only">{word} </span>
      {bytesPerSecond === null ? "…" : `${formatBytes(bytesPerSecond)}/s`}
    </span>
  );
}
