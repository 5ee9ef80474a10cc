"use client";

import type { ReactNode } from "react";
import type { ImageDetail } from "../../../lib/domain/imageDetail";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { TextLink } from "../../ui/TextLink";
import { useRefresh } from "./useRefresh";

const titles = {
  recipe: "This version of Cumulus builds it otherwise",
  published: "Its maker has published a newer build",
  age: "It was built of packages that are over a month old",
} satisfies Record<NonNullable<ImageDetail["newerBuild"]>, string>;

/** A newer build of an image can be had. */
export function NewerBuild({ image }: { image: ImageDetail }) {
  return (
    <Outdated
      image={image}
      title={titles[image.newerBuild ?? "published"]}
      action={image.newerBuild === "published" ? "Download the newest" : "Build the newest"}
    >
      It may lack what was mended since. The newest will be another image of the name “{image.name}”; this one stays for
      what uses it. {image.newerBuild === "age" ? "Built of the same packages again, it is this one, and fresh." : null}
    </Outdated>
  );
}

/** What a recipe's image was made from has a newer build. */
export function NewerBase({ image, base }: { image: ImageDetail; base: NonNullable<ImageDetail["newerBase"]> }) {
  return (
    <Outdated image={image} title="What it was made from has a newer build" action="Run again on it">
      The recipe was run on an older build of <TextLink href={`/images/${base.id}`}>{base.title}</TextLink>. Run again,
      it makes a new image; this one stays for what uses it.
    </Outdated>
  );
}

interface OutdatedProps {
  image: ImageDetail;
  title: string;
  action: string;
  children: ReactNode;
}

function Outdated({ image, title, action, children }: OutdatedProps) {
  const { refresh, isPending, error } = useRefresh(image);
  return (
    <Banner
      tone="warn"
      title={title}
      action={
        <Button size="sm" loading={isPending} onClick={() => void refresh()}>
          {action}
        </Button>
      }
    >
      {children}
      {error ? <p role="alert">{error}</p> : null}
    </Banner>
  );
}
