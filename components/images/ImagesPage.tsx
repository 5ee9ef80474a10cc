"use client";

import { Disc3 } from "lucide-react";
import { useImages, useVms } from "../data/hooks";
import { ReadingState } from "../data/ReadingState";
import { Card } from "../ui/Card";
import { CodeBlock } from "../ui/CodeBlock";
import { EmptyState } from "../ui/EmptyState";
import { PageHeader } from "../ui/PageHeader";
import { ImageTable } from "./ImageTable";

/** What VMs can be created from. */
export function ImagesPage() {
  const images = useImages();
  const vms = useVms();
  return (
    <>
      <PageHeader
        title="Images"
        description="The disks that VMs begin with. A VM's disk lies over its image and holds only what differs."
      />
      <Card flush>
        <ReadingState reading={images} what="images">
          {(list) => (list.length === 0 ? <NoImages /> : <ImageTable images={list} vms={vms.data ?? []} />)}
        </ReadingState>
      </Card>
    </>
  );
}

function NoImages() {
  return (
    <EmptyState
      icon={<Disc3 aria-hidden />}
      title="No images yet"
      code={<CodeBlock what="command that builds the built-in image" code="npm run up" />}
    >
      The built-in image is made on the host when Cumulus starts, where it can be: on Debian and Ubuntu. The page Host
      tells what stood in its way.
    </EmptyState>
  );
}
