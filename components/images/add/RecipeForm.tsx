"use client";

import { useSearchParams } from "next/navigation";
import { type FormEvent, useState } from "react";
import type { Image } from "../../../lib/domain/image";
import { isOutOfDate } from "../../../lib/domain/image";
import type { SavedRecipe } from "../../../lib/domain/savedRecipe";
import { useHost, useImages } from "../../data/hooks";
import { ReadingState } from "../../data/ReadingState";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { Input } from "../../ui/Input";
import { Select } from "../../ui/Select";
import { TextLink } from "../../ui/TextLink";
import { NoRecipes } from "../recipes/NoRecipes";
import { placeWords } from "../recipes/recipeWords";
import { useRecipes } from "../recipes/useRecipes";
import { defaultBase } from "./defaultBase";
import { useAddImage } from "./useAddImage";

/** An image that a recipe makes from another one. `?recipe=ID` and `?base=ID` choose. */
export function RecipeForm() {
  const recipes = useRecipes();
  const images = useImages();
  const disks = images.data?.filter(({ kind }) => kind === "disk");
  return (
    <Card
      title="By a recipe"
      description="Changes to another image, written down once: files, packages, a password. The other image stays as it is."
      actions={<TextLink href="/images/recipes">Recipes</TextLink>}
    >
      <ReadingState reading={recipes} what="recipes">
        {(list) => (list.length === 0 ? <NoRecipes /> : disks ? <RunRecipe recipes={list} images={disks} /> : null)}
      </ReadingState>
    </Card>
  );
}

function RunRecipe({ recipes, images }: { recipes: SavedRecipe[]; images: Image[] }) {
  const params = useSearchParams();
  const [recipeId, setRecipeId] = useState(Number(params.get("recipe")) || recipes[0]?.id);
  const [wantedBase, setWantedBase] = useState(Number(params.get("base")) || undefined);
  const [name, setName] = useState("");
  const form = useAddImage("recipe", "base", "name");
  const saved = recipes.find(({ id }) => id === recipeId) ?? recipes[0];
  const { data: host } = useHost();
  if (!saved) return null;
  const baseId = wantedBase ?? defaultBase(images, saved.recipe, host?.report?.arch)?.id;

  const send = async (event: FormEvent) => {
    event.preventDefault();
    const isDone = await form.add({
      recipe: saved.id,
      base: baseId ?? "",
      ...(name.trim() && { name: name.trim() }),
    });
    if (isDone) setName("");
  };
  return (
    <form onSubmit={send} className="grid max-w-3xl gap-4 sm:grid-cols-2">
      <Field label="Recipe" error={form.fields.recipe} hint={placeWords[saved.recipe.place].hint}>
        {(control) => (
          <Select {...control} value={saved.id} onChange={(event) => setRecipeId(Number(event.target.value))}>
            {recipes.map(({ id, recipe }) => (
              <option key={id} value={id}>
                {recipe.title}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Image to start from" error={form.fields.base}>
        {(control) => (
          <Select {...control} value={baseId ?? ""} onChange={(event) => setWantedBase(Number(event.target.value))}>
            {baseId === undefined ? <option value="">Choose an image</option> : null}
            {images.map((image) => (
              <option key={image.id} value={image.id}>
                {image.title}, {image.arch}
                {isOutOfDate(image) ? ", out of date" : null}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Name" aside="optional" error={form.fields.name} className="sm:col-span-2">
        {(control) => (
          <Input
            {...control}
            mono
            autoComplete="off"
            spellCheck={false}
            placeholder={saved.recipe.name}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <div className="grid gap-4 sm:col-span-2">
        {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
        <Button type="submit" variant="primary" loading={form.isPending} className="justify-self-start">
          Make image
        </Button>
      </div>
    </form>
  );
}
