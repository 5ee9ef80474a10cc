import { Disc3 } from "lucide-react";
import { ButtonLink } from "../../ui/ButtonLink";
import { EmptyState } from "../../ui/EmptyState";
import { Page } from "../../ui/Page";

/** What stands where an image is not, or no longer. */
export function NoSuchImage() {
  return (
    <Page>
      <h1 className="sr-only">Image not found</h1>
      <EmptyState
        icon={<Disc3 aria-hidden />}
        title="There is no such image"
        action={<ButtonLink href="/images">To the images</ButtonLink>}
      >
        The address is wrong, or the image has been deleted.
      </EmptyState>
    </Page>
  );
}
