import type { ReactNode } from "react";
import { Td } from "../ui/Table";
import type { Branch } from "./snapshotTree";

/** Beyond it lanes lie on each other: the names need the room. */
const maxLane = 8;
/** From the top of a row to the middle of its name. */
const middle = "22px";

interface SnapshotNodeProps {
  branch: Branch;
  children: ReactNode;
}

/** The first cell of a row of the tree: the lines that join it to what came before and after, which say nothing to a screen reader, and its content. */
export function SnapshotNode({ branch: { snapshot, lane: wanted, joins, goesOn }, children }: SnapshotNodeProps) {
  const lane = Math.min(wanted, maxLane);
  const lanes = Array.from({ length: lane }, (_, index) => index);
  return (
    <Td className="relative min-w-44 py-3 align-top [--lane:14px] sm:[--lane:20px]">
      <span aria-hidden>
        {lanes.map((index) => (
          <Line key={index} lane={index} top="0" bottom="-1px" />
        ))}
        {joins === "above" ? <Line lane={lane} top="0" bottom={`calc(100% - ${middle})`} /> : null}
        {joins === "left" ? (
          <span
            className="absolute top-0 w-(--lane) rounded-bl-lg border-control border-b-2 border-l-2"
            style={{ left: leftOf(Math.max(0, lane - 1)), height: `calc(${middle} + 1px)` }}
          />
        ) : null}
        {goesOn ? <Line lane={lane} top={middle} bottom="-1px" /> : null}
        <span
          className={`absolute size-3 rounded-full border-2 ${snapshot ? "border-control bg-surface" : "border-ink bg-ink"}`}
          style={{ left: `calc(${leftOf(lane)} - 5px)`, top: `calc(${middle} - 6px)` }}
        />
      </span>
      <div className="min-w-0" style={{ paddingLeft: `calc(var(--lane) * ${lane} + 20px)` }}>
        {children}
      </div>
    </Td>
  );
}

function Line({ lane, top, bottom }: { lane: number; top: string; bottom: string }) {
  return <span className="absolute w-0.5 bg-control" style={{ left: leftOf(lane), top, bottom }} />;
}

const leftOf = (lane: number): string => `calc(20px + var(--lane) * ${lane})`;
