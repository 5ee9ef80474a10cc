"use client";

import type { Firmware } from "../../../lib/domain/arch";
import { firmwaresOf, type Image } from "../../../lib/domain/image";
import { SegmentedControl } from "../../ui/SegmentedControl";

interface FirmwareFieldProps {
  image: Image;
  /** Null: as the image has it. */
  value: Firmware | null;
  onChange: (firmware: Firmware) => void;
  problem: string | undefined;
}

const names: Record<Firmware, string> = { bios: "BIOS", uefi: "UEFI" };

/** What the machine starts with, before the image's own loader. */
export function FirmwareField({ image, value, onChange, problem }: FirmwareFieldProps) {
  const able = firmwaresOf(image);
  const chosen = value !== null && able.includes(value) ? value : (able[0] ?? image.firmware);
  return (
    <div>
      <p className="mb-1 font-medium text-sm">Firmware</p>
      {able.length > 1 ? (
        <SegmentedControl
          label="Firmware"
          value={chosen}
          onChange={onChange}
          options={able.map((firmware) => ({ value: firmware, label: names[firmware] }))}
        />
      ) : (
        <p className="text-sm">{names[chosen]}</p>
      )}
      {problem ? (
        <p role="alert" className="mt-1 text-bad-ink text-xs">
          {problem}
        </p>
      ) : null}
      <p className="mt-1 text-muted text-xs">
        {able.length > 1
          ? "A system that is installed for the one does not boot with the other. With UEFI, the VM has variables of its own."
          : `${image.title} boots by ${names[chosen]} only.`}
      </p>
    </div>
  );
}
