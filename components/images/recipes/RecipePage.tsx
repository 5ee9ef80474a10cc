"use client";

import type { SavedRecipe } from "../../../lib/domain/savedRecipe";
import { useReading } from "../../data/hooks";
import { keys } from "../../data/keys";
import { ReadingState } from "../../data/ReadingState";
import { PageHeader } from "../../ui/PageHeader";
import { RecipeEditor } from "./RecipeEditor";

/** One recipe, to be changed; null writes a new one. */
export function RecipePage({ id }: { id: number | null }) {
  const reading = useReading<SavedRecipe>(id === null ? null : `${keys.recipes}/${id}`);
  if (id === null) {
    return (
      <>
        <PageHeader title="Write a recipe" />
        <RecipeEditor />
      </>
    );
  }
  return (
    <>
      <PageHeader title={reading.data?.recipe.title ?? "Recipe"} />
      <ReadingState reading={reading} what="recipe">
        {(saved) => <RecipeEditor key={saved.updatedAt} saved={saved} />}
      </ReadingState>
    </>
  );
}
