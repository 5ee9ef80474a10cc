"use client";

import { type Connection, useConnection } from "../data/connection";
import { Badge } from "../ui/Badge";
import { StatusDot } from "../ui/StatusDot";
import type { Tone } from "../ui/tone";

const shown: Record<Connection, { label: string; title: string; tone: Tone }> = {
  connecting: { label: "Connecting", title: "Opening the stream of changes.", tone: "neutral" },
  live: { label: "Live", title: "Changes appear here as they happen.", tone: "ok" },
  reconnecting: {
    label: "Reconnecting",
    title: "Cumulus doesn't answer just now. What you see may be old; it is read anew on reconnecting.",
    tone: "warn",
  },
};

/** Whether the page follows the server, quietly. */
export function ConnectionState() {
  const connection = useConnection();
  const { label, title, tone } = shown[connection];
  return (
    <p
      role="status"
      title={title}
      className="flex h-7 items-center justify-center gap-2.5 text-muted text-xs lg:justify-start lg:px-3.5"
    >
      <StatusDot tone={tone} moving={connection !== "live"} />
      <span className="sr-only lg:not-sr-only">{label}</span>
    </p>
  );
}

/** For narrow screens, which have no room for the quiet line: told only when something is wrong. */
export function ReconnectingBadge() {
  return useConnection() === "reconnecting" ? (
    <span role="status" title={shown.reconnecting.title} className="mr-1 sm:hidden">
      <Badge tone="warn">{shown.reconnecting.label}</Badge>
    </span>
  ) : null;
}
