"use client";

import type { Recipe } from "../../../lib/domain/recipe";
import type { SavedRecipe } from "../../../lib/domain/savedRecipe";
import { useList } from "../../data/hooks";
import { keys } from "../../data/keys";

export const useRecipes = () => useList<SavedRecipe>(keys.recipes);

/** Recipes that come with Cumulus, to begin one's own from. */
export const useExampleRecipes = () => useList<Recipe>(`${keys.recipes}/examples`);
