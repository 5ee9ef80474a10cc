"use client";

import type { FieldErrors } from "../../../lib/domain/errors";
import type { Size } from "../../../lib/domain/size";
import { formatBytes } from "../../../lib/domain/units";
import { RadioCards } from "../../ui/RadioCards";
import { CustomSizeFields } from "./CustomSizeFields";
import { customOf, type Shape, type SizeChoice, shapeOf } from "./sizeChoice";

interface SizePickerProps {
  sizes: readonly Size[];
  value: SizeChoice;
  onChange: (choice: SizeChoice) => void;
  /** Why a shape can't be had, as a sentence. */
  whyNot: (shape: Shape) => string | undefined;
  /** What is wrong with `vcpus`, `memory` and `disk`. */
  problems: FieldErrors;
}

const customCard = "custom";

/** Sizes as cards, and custom values. */
export function SizePicker({ sizes, value, onChange, whyNot, problems }: SizePickerProps) {
  const choose = (card: string) => {
    if (card !== customCard) return onChange({ ...value, size: card });
    // Custom values go on from what was chosen before.
    const shape = shapeOf(value, sizes);
    onChange({ size: null, custom: shape ? customOf(shape) : value.custom });
  };
  const shape = shapeOf(value, sizes);
  const customReason = value.size === null && shape ? whyNot(shape) : undefined;
  return (
    <>
      <RadioCards
        label="Size"
        value={value.size ?? customCard}
        onChange={choose}
        className="grid-cols-2 sm:grid-cols-3"
        options={[
          ...sizes.map((size) => ({
            value: size.name,
            content: <SizeCard size={size} />,
            disabledReason: whyNot(size),
          })),
          { value: customCard, content: <CustomCard /> },
        ]}
      />
      {value.size === null ? (
        <CustomSizeFields
          value={value.custom}
          onChange={(custom) => onChange({ size: null, custom })}
          problems={problems}
          reason={customReason}
        />
      ) : null}
    </>
  );
}

function SizeCard({ size }: { size: Size }) {
  return (
    <>
      <span className="block font-medium">{size.name}</span>
      <span className="mt-0.5 block text-lg tabular-nums">{formatBytes(size.memoryBytes)}</span>
      <span className="block text-muted text-xs tabular-nums">
        {size.vcpus === 1 ? "1 vCPU" : `${size.vcpus} vCPUs`} · {formatBytes(size.diskBytes)} disk
      </span>
    </>
  );
}

function CustomCard() {
  return (
    <>
      <span className="block font-medium">custom</span>
      <span className="mt-0.5 block text-muted text-xs">Your own numbers of vCPUs, memory and disk.</span>
    </>
  );
}
