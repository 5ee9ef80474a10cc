"use client";

import { Play, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { apiRequest } from "../../../lib/api/client";
import type { SavedRecipe } from "../../../lib/domain/savedRecipe";
import { keys } from "../../data/keys";
import { ReadingState } from "../../data/ReadingState";
import { ButtonLink } from "../../ui/ButtonLink";
import { Card } from "../../ui/Card";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { IconButton } from "../../ui/IconButton";
import { notify } from "../../ui/notify";
import { PageHeader } from "../../ui/PageHeader";
import { RelativeTime } from "../../ui/RelativeTime";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../../ui/Table";
import { TextLink } from "../../ui/TextLink";
import { ImageTasks } from "../tasks/ImageTasks";
import { NoRecipes } from "./NoRecipes";
import { recipeSummary } from "./recipeWords";
import { useRecipes } from "./useRecipes";

/** Recipes that are kept. */
export function RecipesPage() {
  const recipes = useRecipes();
  const [leaving, setLeaving] = useState<SavedRecipe>();
  return (
    <>
      <PageHeader
        title="Recipes"
        description="How to make an image from another one. Each image keeps the recipe that made it."
        actions={
          recipes.data?.length ? (
            <ButtonLink href="/images/recipes/new" variant="primary" icon={<Plus aria-hidden />}>
              Write a recipe
            </ButtonLink>
          ) : undefined
        }
      />
      <ImageTasks kinds={["image-customize"]} />
      <Card flush>
        <ReadingState reading={recipes} what="recipes">
          {(list) => (list.length === 0 ? <NoRecipes /> : <RecipeTable recipes={list} onDelete={setLeaving} />)}
        </ReadingState>
      </Card>
      <ConfirmDialog
        open={leaving !== undefined}
        onOpenChange={() => setLeaving(undefined)}
        title={`Delete recipe ${leaving?.recipe.name ?? ""}?`}
        confirmLabel="Delete recipe"
        onConfirm={async () => {
          if (!leaving) return;
          await apiRequest("DELETE", `${keys.recipes}/${leaving.id}`);
          recipes.reload();
          notify(`Recipe ${leaving.recipe.name} deleted.`);
        }}
      >
        Images that it made stay, and keep it: it can still be run again from their pages.
      </ConfirmDialog>
    </>
  );
}

function RecipeTable({ recipes, onDelete }: { recipes: SavedRecipe[]; onDelete: (recipe: SavedRecipe) => void }) {
  return (
    <Table label="Recipes">
      <TableHead>
        <Th>Recipe</Th>
        <Th className="hidden sm:table-cell">For</Th>
        <Th className="hidden md:table-cell">Does</Th>
        <Th className="hidden lg:table-cell">Changed</Th>
        <Th>
          <span className="sr-only">Actions</span>
        </Th>
      </TableHead>
      <TableBody>
        {recipes.map((saved) => {
          const { id, recipe, updatedAt } = saved;
          return (
            <Tr key={id}>
              <Td className="max-w-96">
                <TextLink href={`/images/recipes/${id}`}>{recipe.title}</TextLink>{" "}
                <code className="font-mono text-muted text-xs">{recipe.name}</code>
                <span className="block text-muted text-xs">{recipe.description}</span>
              </Td>
              <Td className="hidden text-muted sm:table-cell">{recipe.base ?? "any"}</Td>
              <Td className="hidden whitespace-nowrap text-muted md:table-cell">{recipeSummary(recipe)}</Td>
              <Td className="hidden whitespace-nowrap text-muted lg:table-cell">
                <RelativeTime at={updatedAt} />
              </Td>
              <Td className="whitespace-nowrap text-right">
                <ButtonLink
                  size="sm"
                  href={`/images/add?from=recipe&recipe=${id}`}
                  icon={<Play aria-hidden />}
                  aria-label={`Run ${recipe.title}`}
                >
                  Run
                </ButtonLink>{" "}
                <IconButton
                  size="iconSm"
                  label={`Delete ${recipe.title}`}
                  icon={<Trash2 aria-hidden />}
                  onClick={() => onDelete(saved)}
                />
              </Td>
            </Tr>
          );
        })}
      </TableBody>
    </Table>
  );
}
