import type { Metadata } from "next";
import { RecipePage } from "../../../../../components/images/recipes/RecipePage";
import { Page } from "../../../../../components/ui/Page";

export const metadata: Metadata = { title: "Write a recipe" };

export default function NewRecipe() {
  return (
    <Page>
      <RecipePage id={null} />
    </Page>
  );
}
