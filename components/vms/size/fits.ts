import type { Host } from "../../../lib/domain/host";
import { firmwaresOf, type Image } from "../../../lib/domain/image";
import { formatBytes } from "../../../lib/domain/units";
import type { Shape } from "./sizeChoice";

/** Why no VM can be made from an image on a host, as a sentence; undefined when one can, or when the host hasn't said. */
export function whyImageDoesNotRun(
  image: Pick<Image, "title" | "kind" | "arch" | "firmware" | "firmwares">,
  host: Pick<Host, "name" | "report"> | undefined,
): string | undefined {
  if (!host?.report) return undefined;
  const { guestArchs, uefiArchs } = host.report;
  if (!guestArchs.includes(image.arch)) {
    return `${image.title} is for ${image.arch}, and ${host.name} has no QEMU for it.`;
  }
  const needsUefi = !firmwaresOf(image).includes("bios");
  if (!needsUefi || !uefiArchs || uefiArchs.includes(image.arch)) return undefined;
  return `${image.title} boots by UEFI, and ${host.name} has no such firmware for ${image.arch}.`;
}

/** Why a shape can't be had, as a sentence; undefined when it fits. The server has the last word. */
export function whyShapeDoesNotFit(
  shape: Pick<Shape, "memoryBytes" | "diskBytes">,
  image: Pick<Image, "title" | "kind" | "minMemoryBytes" | "virtualBytes"> | undefined,
  host: Pick<Host, "name" | "memoryFreeBytes" | "report"> | undefined,
): string | undefined {
  if (image && shape.memoryBytes < image.minMemoryBytes) {
    return `${image.title} needs at least ${formatBytes(image.minMemoryBytes)} of memory.`;
  }
  if (image?.kind === "disk" && shape.diskBytes < image.virtualBytes) {
    return `${image.title} needs a disk of at least ${formatBytes(image.virtualBytes)}.`;
  }
  // Until a host has reported, none of its memory is known.
  if (host?.report && shape.memoryBytes > host.memoryFreeBytes) {
    const free = host.memoryFreeBytes > 0 ? `${formatBytes(host.memoryFreeBytes)} is free` : "none is free";
    return `Needs ${formatBytes(shape.memoryBytes)} of memory; ${free} on ${host.name}.`;
  }
  const diskFreeBytes = host?.report?.diskFreeBytes;
  if (host && diskFreeBytes !== undefined && shape.diskBytes > diskFreeBytes) {
    return `Needs ${formatBytes(shape.diskBytes)} of disk; ${formatBytes(diskFreeBytes)} is free on ${host.name}.`;
  }
  return undefined;
}
