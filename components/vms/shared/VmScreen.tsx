"use client";

import { MonitorOff } from "lucide-react";
import { useRef, useState } from "react";
import type { Vm } from "../../../lib/domain/vm";
import { cx } from "../../ui/cx";
import { useScreenSource } from "./useScreenSource";

interface VmScreenProps {
  vm: Vm;
  /** Width and what else the place needs; the shape is a 16 : 10 box. */
  className?: string;
}

/** A still picture of a VM's screen; dimmed when it is the last one of a VM that is off. */
export function VmScreen({ vm, className }: VmScreenProps) {
  const box = useRef<HTMLSpanElement>(null);
  const source = useScreenSource(vm, box);
  const [missing, setMissing] = useState<string>();
  const isLive = vm.status === "running" || vm.status === "paused";
  return (
    <span
      ref={box}
      className={cx(
        "relative block aspect-[16/10] shrink-0 overflow-hidden rounded-sm border border-line bg-black",
        className,
      )}
    >
      {source === null ? null : missing === source ? (
        <span className="flex size-full items-center justify-center bg-sunken text-faint">
          <MonitorOff aria-hidden className="size-4" />
          <span className="sr-only">No screen to show of {vm.name}</span>
        </span>
      ) : (
        // biome-ignore lint/performance/noImgElement: a live picture of the API, which an image optimizer must not keep
        <img
          src={source}
          alt={`Screen of ${vm.name}`}
          draggable={false}
          onError={() => setMissing(source)}
          className={cx("size-full object-contain", !isLive && "opacity-40")}
        />
      )}
    </span>
  );
}
