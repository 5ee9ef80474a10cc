import type { Arch } from "../../../lib/domain/arch";
import type { Image } from "../../../lib/domain/image";

/** How a request names an image: by name where that leads to it, else by id. */
export type ImageRef = string | number;

/** The image that a request means, as the server finds it: of a name the host's own architecture first, then the newest. */
export function findImage(
  images: readonly Image[],
  ref: ImageRef | null,
  hostArch: Arch | undefined,
): Image | undefined {
  if (typeof ref === "number") return images.find(({ id }) => id === ref);
  const named = images.filter(({ name }) => name === ref).sort(newestFirst);
  return named.find(({ arch }) => arch === hostArch) ?? named[0];
}

export function refOf(image: Image, images: readonly Image[], hostArch: Arch | undefined): ImageRef {
  return findImage(images, image.name, hostArch)?.id === image.id ? image.name : image.id;
}

/** What is worth choosing: of each name and architecture the newest, and the one that is chosen already; disks first, then ISOs. */
export function offeredImages(images: readonly Image[], chosen: Image | undefined): Image[] {
  const offered = images.filter((image) => image.newerId === null || image.id === chosen?.id);
  return [...offered.filter(({ kind }) => kind !== "iso"), ...offered.filter(({ kind }) => kind === "iso")];
}

/** In the order in which images come to mind for something new: as their makers made them before what was made of them here. */
export function byOrigin(images: readonly Image[]): Image[] {
  return [...images].sort((a, b) => origins.indexOf(a.source.type) - origins.indexOf(b.source.type));
}

const origins: Image["source"]["type"][] = ["built", "catalogue", "url", "upload", "recipe", "vm"];

function newestFirst(a: Image, b: Image): number {
  return b.createdAt.localeCompare(a.createdAt) || b.id - a.id;
}
