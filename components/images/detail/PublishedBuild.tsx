"use client";

import type { ImageDetail } from "../../../lib/domain/imageDetail";
import { Button } from "../../ui/Button";
import { RelativeTime } from "../../ui/RelativeTime";
import { publishedWords } from "../imageWords";
import { useNewerBuild } from "./useNewerBuild";

/** Whether an image of the catalogue is what its maker publishes, and when that was asked. */
export function PublishedBuild({ image }: { image: ImageDetail }) {
  const { ask, isPending, error } = useNewerBuild(image);
  const { published } = image;
  return (
    <div className="grid justify-items-start gap-1.5">
      <p>
        <span aria-live="polite">{publishedWords(image)}</span>{" "}
        {published ? (
          <span className="text-muted">
            Asked <RelativeTime at={published.askedAt} />.
          </span>
        ) : null}
      </p>
      {error ? <p role="alert">{error}</p> : null}
      <Button size="sm" loading={isPending} onClick={() => void ask()}>
        Check for a newer build
      </Button>
    </div>
  );
}
