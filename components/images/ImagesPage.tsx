"use client";

import { Disc3, Plus } from "lucide-react";
import { useImages, useVms } from "../data/hooks";
import { ReadingState } from "../data/ReadingState";
import { ButtonLink } from "../ui/ButtonLink";
import { Card } from "../ui/Card";
import { CodeBlock } from "../ui/CodeBlock";
import { EmptyState } from "../ui/EmptyState";
import { PageHeader } from "../ui/PageHeader";
import { TextLink } from "../ui/TextLink";
import { curlCommand } from "../vms/shared/curl";
import { useOrigin } from "../vms/shared/useOrigin";
import { ImageTable } from "./ImageTable";
import { ImageTasks } from "./tasks/ImageTasks";

/** What VMs can be created from. */
export function ImagesPage() {
  const images = useImages();
  const vms = useVms();
  return (
    <>
      <PageHeader
        title="Images"
        description={
          <>
            The disks that VMs begin with. A VM's disk lies over its image and holds only what differs.{" "}
            <TextLink href="/docs/images">Guide</TextLink>
          </>
        }
        actions={
          <>
            <ButtonLink href="/images/recipes">Recipes</ButtonLink>
            <AddImageLink />
          </>
        }
      />
      <ImageTasks />
      <Card flush>
        <ReadingState reading={images} what="images">
          {(list) => (list.length === 0 ? <NoImages /> : <ImageTable images={list} vms={vms.data ?? []} />)}
        </ReadingState>
      </Card>
    </>
  );
}

function AddImageLink() {
  return (
    <ButtonLink href="/images/add" variant="primary" icon={<Plus aria-hidden />}>
      Add image
    </ButtonLink>
  );
}

function NoImages() {
  const origin = useOrigin();
  const body = { catalogue: "debian-13-x86_64" };
  return (
    <EmptyState
      icon={<Disc3 aria-hidden />}
      title="No images yet"
      action={<AddImageLink />}
      code={
        <CodeBlock
          what="curl command that adds an image"
          code={curlCommand({ origin, method: "POST", path: "/api/images", body })}
        />
      }
    >
      An image is an operating system, installed once, that any number of VMs start from in seconds. Take one of the
      official ones from the catalogue, bring your own, or have one built here.
    </EmptyState>
  );
}
