"use client";

import { Fragment, type ReactNode } from "react";
import type { ImageDetail } from "../../../lib/domain/imageDetail";
import { formatBytes } from "../../../lib/domain/units";
import { Card } from "../../ui/Card";
import { CopyText } from "../../ui/CopyText";
import { Facts } from "../../ui/Facts";
import { RelativeTime } from "../../ui/RelativeTime";
import { TextLink } from "../../ui/TextLink";
import { firmwareWords, sourceWords } from "../imageWords";
import { PublishedBuild } from "./PublishedBuild";

export function ImageFacts({ image }: { image: ImageDetail }) {
  const mono = (text: string) => <span className="font-mono text-xs leading-5">{text}</span>;
  const when = (isShown: boolean, label: string, value: ReactNode) => (isShown ? [{ label, value }] : []);
  const isDisk = image.kind === "disk";
  return (
    <Card title="Facts">
      <Facts
        items={[
          { label: "Name", value: mono(image.name) },
          ...when(image.aliases.length > 0, "Also called", mono(image.aliases.join(", "))),
          ...when(image.os !== null, "System", `${image.os?.family} ${image.os?.release}`),
          { label: "Kind", value: isDisk ? "Disk" : "ISO: a CD-ROM to install from" },
          { label: "Architecture", value: image.arch },
          { label: "Boots with", value: image.firmwares.map((firmware) => firmwareWords[firmware]).join(" or ") },
          ...when(image.variablesSha256 !== null, "UEFI variables", "Those of the VM that it was made from"),
          { label: "Size here", value: <SizeHere image={image} /> },
          ...when(isDisk, "Disk at least", formatBytes(image.virtualBytes)),
          { label: "Memory at least", value: formatBytes(image.minMemoryBytes) },
          ...when(isDisk, "Login user", mono(image.loginUser)),
          { label: "Made", value: <RelativeTime at={image.createdAt} /> },
          { label: "End of life", value: image.endOfLife ?? "not known" },
          { label: "Source", value: sourceWords(image) },
          ...sourceDetails(image),
          ...when(image.source.type === "catalogue", "Newest build", <PublishedBuild key={image.id} image={image} />),
          { label: "SHA-256", value: <CopyText text={image.sha256} what="checksum" /> },
        ]}
      />
    </Card>
  );
}

/** What the file takes, and with which images it is shared. */
function SizeHere({ image: { fileBytes, sameFile } }: { image: ImageDetail }) {
  if (sameFile.length === 0) return formatBytes(fileBytes);
  return (
    <>
      {formatBytes(fileBytes)}, one file with{" "}
      {sameFile.map(({ id, name }, index) => (
        <Fragment key={id}>
          {index > 0 ? ", " : null}
          <TextLink href={`/images/${id}`}>{name}</TextLink>
        </Fragment>
      ))}
      : their bytes are the same
    </>
  );
}

function sourceDetails({ source }: ImageDetail) {
  if (source.type === "url") return [{ label: "Address", value: <CopyText text={source.url} what="address" /> }];
  if (source.type !== "catalogue") return [];
  return [
    { label: "Address", value: <CopyText text={source.url} what="address" /> },
    { label: "Published as", value: <CopyText text={source.checksum} what="published checksum" /> },
  ];
}
