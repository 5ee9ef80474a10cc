"use client";

import { Activity } from "lucide-react";
import Link from "next/link";
import { useOperations } from "../data/hooks";
import { buttonClass } from "../ui/buttonClass";
import { StatusDot } from "../ui/StatusDot";
import { Tooltip } from "../ui/Tooltip";

/** How many operations are under way; opens the Activity page. */
export function ActivityIndicator() {
  const { data: operations } = useOperations();
  const running = operations?.filter(({ status }) => status === "running" || status === "pending") ?? [];
  const label = running.length === 0 ? "Nothing is running" : `${running.length} running`;
  return (
    <Tooltip content={`Activity: ${label.toLowerCase()}`}>
      <Link href="/activity" className={buttonClass("ghost", "sm")} aria-label={`Activity: ${label.toLowerCase()}`}>
        {running.length === 0 ? (
          <Activity aria-hidden />
        ) : (
          <>
            <StatusDot tone="info" moving />
            <span className="tabular-nums">{label}</span>
          </>
        )}
      </Link>
    </Tooltip>
  );
}
