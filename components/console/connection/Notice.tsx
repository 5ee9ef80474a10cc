"use client";

import { Play, RotateCw } from "lucide-react";
import { Button } from "../../ui/Button";
import { cx } from "../../ui/cx";
import { useVmActs } from "../../vms/actions/useVmActs";
import type { ConsoleNotice } from "./consoleWords";

interface NoticeProps {
  vmId: number;
  notice: ConsoleNotice;
  onRetry: () => void;
  /** A card over a picture, or a strip under a text that is to stay readable. */
  layout: "card" | "strip";
}

/** Why a console isn't live, with the button that brings it to life. */
export function Notice({ vmId, notice, onRetry, layout }: NoticeProps) {
  const { pending, error, run } = useVmActs({ id: vmId });
  const powerButton = (act: "start" | "resume", label: string) => (
    <Button variant="primary" icon={<Play aria-hidden />} loading={pending === act} onClick={() => run(act)}>
      {label}
    </Button>
  );
  return (
    <div
      className={cx(
        "flex items-center gap-3 bg-surface px-4 text-sm",
        layout === "card"
          ? "max-w-96 flex-col rounded-lg border border-line-strong py-4 text-center shadow-float"
          : "min-h-12 flex-wrap justify-between border-line border-t py-2",
      )}
    >
      <div className="wrap-anywhere">
        <p>{notice.text}</p>
        {error === undefined ? null : (
          <p role="alert" className="text-bad-ink">
            {error}
          </p>
        )}
      </div>
      {notice.act === "start" ? powerButton("start", "Start") : null}
      {notice.act === "resume" ? powerButton("resume", "Resume") : null}
      {notice.act === "retry" ? (
        <Button icon={<RotateCw aria-hidden />} onClick={onRetry}>
          Try now
        </Button>
      ) : null}
    </div>
  );
}
