"use client";

import type { Host } from "../../../lib/domain/host";
import type { Image } from "../../../lib/domain/image";
import { formatBytes } from "../../../lib/domain/units";
import { ImageBadges } from "../../images/ImageBadges";
import { OsMonogram } from "../../images/OsMonogram";
import { RadioCards } from "../../ui/RadioCards";
import { TextLink } from "../../ui/TextLink";
import { whyImageDoesNotRun } from "../size/fits";
import { offeredImages } from "./imageChoice";

interface ImagePickerProps {
  images: readonly Image[];
  host: Host;
  chosen: Image | undefined;
  onChange: (image: Image) => void;
}

/** Images as cards: of each name and architecture the newest. */
export function ImagePicker({ images, host, chosen, onChange }: ImagePickerProps) {
  return (
    <>
      <RadioCards
        label="Image"
        value={chosen ? String(chosen.id) : null}
        onChange={(id) => {
          const image = images.find((each) => String(each.id) === id);
          if (image) onChange(image);
        }}
        className="sm:grid-cols-2"
        options={offeredImages(images, chosen).map((image) => ({
          value: String(image.id),
          content: <ImageCard image={image} />,
          disabledReason: whyImageDoesNotRun(image, host),
        }))}
      />
      <p className="mt-2 text-muted text-xs">
        Not there? <TextLink href="/images/add">Add an image</TextLink> from the catalogue, or your own.
      </p>
    </>
  );
}

function ImageCard({ image }: { image: Image }) {
  return (
    <span className="flex items-start gap-3">
      <OsMonogram title={image.title} />
      <span className="min-w-0">
        <span className="flex flex-wrap items-baseline gap-x-2 gap-y-1">
          <span className="font-medium">{image.title}</span>
          <ImageBadges image={image} />
        </span>
        <span className="block text-muted text-xs">{image.description}</span>
        <span className="mt-1.5 block text-faint text-xs">
          {image.kind === "disk" ? (
            <>
              Log in as <code className="font-mono">{image.loginUser}</code> ·{" "}
            </>
          ) : null}
          from {formatBytes(image.minMemoryBytes)} memory
          {image.kind === "disk" ? `, ${formatBytes(image.virtualBytes)} disk` : null} · {image.arch}
        </span>
      </span>
    </span>
  );
}
