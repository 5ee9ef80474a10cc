import type { Metadata } from "next";
import { RecipesPage } from "../../../../components/images/recipes/RecipesPage";
import { Page } from "../../../../components/ui/Page";

export const metadata: Metadata = { title: "Recipes" };

export default function Recipes() {
  return (
    <Page>
      <RecipesPage />
    </Page>
  );
}
