"use client";

import { HardDrive } from "lucide-react";
import { useSearchParams } from "next/navigation";
import { useHost, useImages, useSizes, useSshKeys, useVms } from "../../data/hooks";
import { Banner } from "../../ui/Banner";
import { ButtonLink } from "../../ui/ButtonLink";
import { EmptyState } from "../../ui/EmptyState";
import { Page } from "../../ui/Page";
import { PageHeader } from "../../ui/PageHeader";
import { CreateSkeleton } from "./CreateSkeleton";
import { CreateVmForm } from "./CreateVmForm";

/** The page that makes a VM: one form, filled in as far as can be guessed. `?image=NAME` or `?image=ID` chooses the image. */
export function CreatePage() {
  const wantedImage = useSearchParams().get("image");
  const images = useImages();
  const sizes = useSizes();
  const sshKeys = useSshKeys();
  const vms = useVms();
  const host = useHost();
  const readings = [images, sizes, sshKeys, vms, host];
  const failed = readings.find((reading) => reading.error && reading.data === undefined);
  return (
    <Page>
      <PageHeader title="Create a VM" />
      {failed?.error ? (
        <Banner
          tone="bad"
          title="What there is to choose from could not be read"
          onRetry={() => {
            for (const reading of readings) reading.reload();
          }}
        >
          {failed.error.detail}
        </Banner>
      ) : !(images.data && sizes.data && sshKeys.data && vms.data && host.data) ? (
        <CreateSkeleton />
      ) : images.data.length === 0 ? (
        <NoImages />
      ) : (
        <CreateVmForm
          images={images.data}
          sizes={sizes.data}
          sshKeys={sshKeys.data}
          host={host.data}
          takenNames={vms.data.map((vm) => vm.name)}
          wantedImage={wantedImage}
        />
      )}
    </Page>
  );
}

function NoImages() {
  return (
    <EmptyState
      icon={<HardDrive aria-hidden />}
      title="There is no image to start from"
      action={
        <ButtonLink href="/images/add" variant="primary">
          Add an image
        </ButtonLink>
      }
    >
      A VM's disk begins as a copy of an image: an operating system, installed once. The catalogue has the official ones
      of most distributions.
    </EmptyState>
  );
}
