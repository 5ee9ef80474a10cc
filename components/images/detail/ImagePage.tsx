"use client";

import { useRouter } from "next/navigation";
import { useEffect } from "react";
import { Banner } from "../../ui/Banner";
import { Page } from "../../ui/Page";
import { Skeleton } from "../../ui/Skeleton";
import { useImage } from "../useImageData";
import { ImageFacts } from "./ImageFacts";
import { ImageHeader } from "./ImageHeader";
import { ImageNotices } from "./ImageNotices";
import { ImageRecipe } from "./ImageRecipe";
import { ImageUsers } from "./ImageUsers";
import { NoSuchImage } from "./NoSuchImage";

/** What an image is, where it came from, and who uses it. @param id null for an address that names no image */
export function ImagePage({ id }: { id: number | null }) {
  const router = useRouter();
  const { data: image, error, reload } = useImage(id);
  const isGone = error?.status === 404;
  const wasHere = image !== undefined;
  useEffect(() => {
    if (isGone && wasHere) router.replace("/images");
  }, [isGone, wasHere, router]);
  if (id === null || (isGone && !wasHere)) return <NoSuchImage />;
  return (
    <Page>
      {error && !isGone ? (
        <Banner tone="bad" title="This image could not be read" onRetry={reload} className="mb-4">
          {error.detail}
        </Banner>
      ) : null}
      {image ? (
        <>
          <ImageHeader image={image} />
          <ImageNotices image={image} />
          <div className="grid items-start gap-4 lg:grid-cols-2">
            <ImageFacts image={image} />
            <div className="grid gap-4">
              <ImageUsers image={image} />
              <ImageRecipe image={image} />
            </div>
          </div>
        </>
      ) : error ? null : (
        <div role="status" aria-label="Reading the image" className="grid gap-4">
          <Skeleton className="h-8 w-1/2" />
          <Skeleton className="h-64 w-full" />
        </div>
      )}
    </Page>
  );
}
