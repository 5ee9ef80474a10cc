import { Plus, ScrollText } from "lucide-react";
import { ButtonLink } from "../../ui/ButtonLink";
import { EmptyState } from "../../ui/EmptyState";

export function NoRecipes() {
  return (
    <EmptyState
      icon={<ScrollText aria-hidden />}
      title="No recipes yet"
      action={
        <ButtonLink href="/images/recipes/new" variant="primary" icon={<Plus aria-hidden />}>
          Write a recipe
        </ButtonLink>
      }
    >
      A recipe says how to make an image from another one: put files in, install packages, run a script. It is kept with
      the image, so that it can be run again on a newer base. There are examples to begin from.
    </EmptyState>
  );
}
