"use client";

import type { FieldErrors } from "../../../lib/domain/errors";
import { recipePlaceSchema } from "../../../lib/domain/recipe";
import { Field } from "../../ui/Field";
import { Input } from "../../ui/Input";
import { RadioCards } from "../../ui/RadioCards";
import type { RecipeDraft } from "./recipeDraft";
import { placeWords } from "./recipeWords";

interface RecipeHeadProps {
  draft: RecipeDraft;
  onChange: (changes: Partial<RecipeDraft>) => void;
  problems: FieldErrors;
}

/** A recipe's names, what it is meant for, and where its steps are done. */
export function RecipeHead({ draft, onChange, problems }: RecipeHeadProps) {
  const text = (field: "name" | "title" | "description" | "base") => ({
    value: draft[field],
    autoComplete: "off",
    onChange: (event: { target: { value: string } }) => onChange({ [field]: event.target.value }),
  });
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field label="Title" error={problems.title}>
        {(control) => <Input {...control} {...text("title")} required maxLength={120} placeholder="Web server" />}
      </Field>
      <Field label="Name" error={problems.name} hint="Also the new image's, unless it is given another one.">
        {(control) => <Input {...control} {...text("name")} mono required maxLength={63} placeholder="web-server" />}
      </Field>
      <Field label="Description" aside="optional" error={problems.description}>
        {(control) => <Input {...control} {...text("description")} maxLength={500} />}
      </Field>
      <Field label="Meant for the image" aside="optional" error={problems.base}>
        {(control) => <Input {...control} {...text("base")} mono placeholder="debian-12" />}
      </Field>
      <div className="sm:col-span-2">
        <p className="mb-1 font-medium text-sm">Where it is done</p>
        <RadioCards
          label="Where it is done"
          value={draft.place}
          onChange={(place) => onChange({ place })}
          className="sm:grid-cols-3"
          options={recipePlaceSchema.options.map((value) => ({
            value,
            content: (
              <>
                <span className="block font-medium">{placeWords[value].label}</span>
                <span className="block text-muted text-xs">{placeWords[value].hint}</span>
              </>
            ),
          }))}
        />
      </div>
    </div>
  );
}
