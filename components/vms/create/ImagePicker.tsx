"use client";

import type { Host } from "../../../lib/domain/host";
import type { Image } from "../../../lib/domain/image";
import { formatBytes } from "../../../lib/domain/units";
import { RadioCards } from "../../ui/RadioCards";
import { whyImageDoesNotRun } from "../size/fits";
import { monogramOf } from "./monogram";

interface ImagePickerProps {
  images: readonly Image[];
  host: Host;
  /** The chosen image's name. */
  value: string | null;
  onChange: (name: string) => void;
}

export function ImagePicker({ images, host, value, onChange }: ImagePickerProps) {
  return (
    <RadioCards
      label="Image"
      value={value}
      onChange={onChange}
      className="sm:grid-cols-2"
      options={images.map((image) => ({
        value: image.name,
        content: <ImageCard image={image} host={host} />,
        disabledReason: whyImageDoesNotRun(image, host),
      }))}
    />
  );
}

function ImageCard({ image, host }: { image: Image; host: Host }) {
  const isEmulated = host.report !== null && host.report.arch !== image.arch;
  return (
    <span className="flex items-start gap-3">
      <span
        aria-hidden
        className="flex size-9 shrink-0 items-center justify-center rounded-md border border-line bg-raised font-medium text-muted text-sm"
      >
        {monogramOf(image.title)}
      </span>
      <span className="min-w-0">
        <span className="block font-medium">{image.title}</span>
        <span className="block text-muted text-xs">{image.description}</span>
        <span className="mt-1.5 block text-faint text-xs">
          Log in as <code className="font-mono">{image.loginUser}</code> · from {formatBytes(image.minMemoryBytes)}{" "}
          memory, {formatBytes(image.virtualBytes)} disk · {image.arch}
          {isEmulated ? ", emulated here: slow" : null}
        </span>
      </span>
    </span>
  );
}
