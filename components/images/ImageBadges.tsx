"use client";

import { type Image, isOutOfDate, isPastEndOfLife, type OutOfDate } from "../../lib/domain/image";
import { useHost } from "../data/hooks";
import { Badge } from "../ui/Badge";
import { isEmulated } from "./imageWords";

type Shown = Pick<Image, "kind" | "arch" | "endOfLife"> & OutOfDate;

/** What to know of an image at a glance: that it is an ISO, emulated, out of date, no longer mended. */
export function ImageBadges({ image }: { image: Shown }) {
  return (
    <span className="inline-flex flex-wrap gap-1">
      {image.kind === "iso" ? <Badge tone="info">ISO</Badge> : null}
      <ArchBadge arch={image.arch} />
      {isOutOfDate(image) ? <Badge tone="warn">out of date</Badge> : null}
      <EndOfLifeBadge image={image} />
    </span>
  );
}

/** The architecture, where the host has to emulate it. */
export function ArchBadge({ arch }: Pick<Image, "arch">) {
  const { data: host } = useHost();
  return isEmulated(arch, host) ? <Badge tone="warn">{arch}, emulated</Badge> : null;
}

export function EndOfLifeBadge({ image }: { image: Pick<Image, "endOfLife"> }) {
  return isPastEndOfLife(image, Date.now()) ? <Badge tone="bad">end of life</Badge> : null;
}
