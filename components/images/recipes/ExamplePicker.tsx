"use client";

import type { Recipe } from "../../../lib/domain/recipe";
import { Field } from "../../ui/Field";
import { Select } from "../../ui/Select";
import { useExampleRecipes } from "./useRecipes";

/** Fills the editor with a recipe that comes with Cumulus. */
export function ExamplePicker({ onPick }: { onPick: (recipe: Recipe) => void }) {
  const { data: examples } = useExampleRecipes();
  if (!examples?.length) return null;
  return (
    <Field label="Begin from an example" hint="Replaces what stands below." className="mb-4 max-w-md">
      {(control) => (
        <Select
          {...control}
          value=""
          onChange={(event) => {
            const example = examples.find(({ name }) => name === event.target.value);
            if (example) onPick(example);
          }}
        >
          <option value="">Choose one…</option>
          {examples.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}
