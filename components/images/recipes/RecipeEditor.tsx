"use client";

import { Plus } from "lucide-react";
import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { useSWRConfig } from "swr";
import { apiRequest } from "../../../lib/api/client";
import type { SavedRecipe } from "../../../lib/domain/savedRecipe";
import { keys } from "../../data/keys";
import { useSubmit } from "../../data/useSubmit";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { ButtonLink } from "../../ui/ButtonLink";
import { Card } from "../../ui/Card";
import { notify } from "../../ui/notify";
import { ExamplePicker } from "./ExamplePicker";
import { RecipeHead } from "./RecipeHead";
import {
  draftOf,
  emptyRecipe,
  type RecipeDraft,
  recipeProblems,
  recipeRequestOf,
  type StepDraft,
  stepTypesOf,
} from "./recipeDraft";
import { StepFields } from "./StepFields";

/** Writes a recipe, or changes one. */
export function RecipeEditor({ saved }: { saved?: SavedRecipe }) {
  const router = useRouter();
  const { mutate } = useSWRConfig();
  const [draft, setDraft] = useState<RecipeDraft>(saved ? draftOf(saved.recipe) : emptyRecipe);
  const [wasSent, setSent] = useState(false);
  const own = recipeProblems(draft);
  const form = useSubmit(...Object.keys(own), "name", "title", "description", "base");
  const problems = { ...(wasSent ? own : {}), ...form.fields };
  const change = (changes: Partial<RecipeDraft>) => {
    setDraft((before) => ({ ...before, ...changes }));
    form.reset();
  };

  const save = async (event: FormEvent) => {
    event.preventDefault();
    setSent(true);
    if (Object.keys(own).length > 0) return;
    await form.submit(async () => {
      const { base = null, ...rest } = recipeRequestOf(draft);
      if (saved) await apiRequest("PATCH", `${keys.recipes}/${saved.id}`, { ...rest, base });
      else await apiRequest("POST", keys.recipes, recipeRequestOf(draft));
      await mutate(keys.recipes);
      notify(`Recipe ${draft.name} saved.`);
      router.push("/images/recipes");
    });
  };

  return (
    <form onSubmit={save} noValidate className="grid max-w-3xl gap-4">
      <Card title="Recipe">
        {saved ? null : <ExamplePicker onPick={(example) => change(draftOf(example))} />}
        <RecipeHead draft={draft} onChange={change} problems={problems} />
      </Card>
      <Card title="Steps" description="Done one after the other.">
        <StepList draft={draft} onChange={(steps) => change({ steps })} problems={problems} />
      </Card>
      {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
      {wasSent && Object.keys(own).length > 0 ? (
        <Banner tone="bad">Something is missing or wrong: it is marked above.</Banner>
      ) : null}
      <div className="flex gap-2">
        <Button type="submit" variant="primary" loading={form.isPending}>
          Save recipe
        </Button>
        <ButtonLink href="/images/recipes">Cancel</ButtonLink>
      </div>
    </form>
  );
}

interface StepListProps {
  draft: RecipeDraft;
  onChange: (steps: StepDraft[]) => void;
  problems: Record<string, string>;
}

function StepList({ draft: { steps, place }, onChange, problems }: StepListProps) {
  const swap = (from: number, to: number) => {
    const moved = [...steps];
    const [step] = moved.splice(from, 1);
    if (step) moved.splice(to, 0, step);
    onChange(moved);
  };
  const add = () => {
    const key = Math.max(0, ...steps.map((step) => step.key)) + 1;
    onChange([...steps, { key, type: stepTypesOf(place)[0] ?? "file", values: {} }]);
  };
  return (
    <div className="flex flex-col gap-3">
      {steps.map((step, index) => (
        <StepFields
          key={step.key}
          step={step}
          number={index + 1}
          place={place}
          problemOf={(field) => problems[`steps.${index}.${field}`] ?? inList(problems, `steps.${index}.${field}.`)}
          onChange={(changed) => onChange(steps.map((each) => (each.key === step.key ? changed : each)))}
          onMove={{
            up: index > 0 ? () => swap(index, index - 1) : undefined,
            down: index < steps.length - 1 ? () => swap(index, index + 1) : undefined,
          }}
          onRemove={() => onChange(steps.filter(({ key }) => key !== step.key))}
        />
      ))}
      {problems.steps ? (
        <p role="alert" className="text-bad-ink text-xs">
          {problems.steps}
        </p>
      ) : null}
      <Button size="sm" icon={<Plus aria-hidden />} onClick={add} className="self-start">
        Add a step
      </Button>
    </div>
  );
}

/** What is wrong with an entry of a list that is one field of the form. */
function inList(problems: Record<string, string>, prefix: string): string | undefined {
  return Object.entries(problems).find(([path]) => path.startsWith(prefix))?.[1];
}
