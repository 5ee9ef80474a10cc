import type { Arch } from "../../lib/domain/arch";
import type { Host } from "../../lib/domain/host";
import type { Image } from "../../lib/domain/image";
import type { ImageDetail } from "../../lib/domain/imageDetail";
import { formatBytes } from "../../lib/domain/units";

/** Where an image came from, as people say it. */
export function sourceWords({ source }: Pick<Image, "source">): string {
  switch (source.type) {
    case "built":
      return "Built on this host";
    case "catalogue":
      return "From the catalogue";
    case "url":
      return `Downloaded from ${URL.canParse(source.url) ? new URL(source.url).host : source.url}`;
    case "upload":
      return `Uploaded as ${source.fileName}`;
    case "vm":
      return source.snapshotName === null
        ? `Made from the VM ${source.vmName}`
        : `Made from the snapshot “${source.snapshotName}” of ${source.vmName}`;
    case "recipe":
      return `Made by the recipe ${source.recipe}${source.baseName === null ? "" : ` from ${source.baseName}`}`;
  }
}

/** Whether a host runs an architecture only by emulating it. */
export function isEmulated(arch: Arch, host: Pick<Host, "report"> | undefined): boolean {
  return host?.report != null && host.report.arch !== arch;
}

/** Why an image can't be had anew; undefined when it can. */
export function whyNoRefresh({ source }: Pick<Image, "source">): string | undefined {
  if (source.type === "upload") return "It was uploaded: upload a newer file.";
  if (source.type === "vm") return "It was made from a VM: make another one.";
  return undefined;
}

/** What having it anew does, for the button. */
export function refreshWord({ source }: Pick<Image, "source">): string {
  if (source.type === "recipe") return "Run the recipe again";
  return source.type === "built" ? "Build again" : "Get the newest build";
}

/** What the maker of an image of the catalogue said of its newest build. */
export function publishedWords({ newerBuild, published }: Pick<ImageDetail, "newerBuild" | "published">): string {
  if (published === null) return "Nobody has asked its maker yet.";
  if (published.problem !== null) return `Its maker could not be asked: ${published.problem}`;
  return newerBuild === null ? "This is what its maker publishes." : "Its maker has published another one.";
}

const namedAtMost = 3;

/** Why an image can't be deleted, saying by whom it is used; undefined when it can. */
export function whyNoDelete({
  kind,
  vms,
  snapshots,
}: Pick<ImageDetail, "kind" | "vms" | "snapshots">): string | undefined {
  const users = [...vms.map(({ name }) => name), ...snapshots.map(({ name, vmName }) => `“${name}” of ${vmName}`)];
  if (users.length === 0) return undefined;
  const rest = users.length - namedAtMost;
  const names = `${users.slice(0, namedAtMost).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
  if (kind === "iso") return `It lies in the CD-ROM drive of ${names}: eject it first.`;
  return `${names} ${users.length === 1 ? "needs" : "need"} it: what builds on it must go first.`;
}

/** What deleting an image does, as sentences. */
export function deletionWords({ fileBytes, sameFile }: Pick<ImageDetail, "fileBytes" | "sameFile">): string {
  const file =
    sameFile.length === 0
      ? `Its file goes with it, which takes ${formatBytes(fileBytes)}.`
      : `Its file stays for ${sameFile.map(({ name }) => name).join(", ")}: the bytes are the same.`;
  return `No VM can be made from it any more. ${file}`;
}

export const firmwareWords = { bios: "BIOS", uefi: "UEFI" } as const;
