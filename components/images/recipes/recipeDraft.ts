import type { z } from "zod";
import type { FieldErrors } from "../../../lib/domain/errors";
import { plainWords } from "../../../lib/domain/plainWords";
import { type Recipe, type RecipePlace, type RecipeStep, recipeSchema, stepPlaces } from "../../../lib/domain/recipe";

export type StepType = RecipeStep["type"];

/** A step as it stands in the form: texts as typed. */
export interface StepDraft {
  /** Tells drafts apart while they are edited. */
  key: number;
  type: StepType;
  values: Record<string, string>;
}

export interface RecipeDraft {
  name: string;
  title: string;
  description: string;
  base: string;
  place: RecipePlace;
  steps: StepDraft[];
}

interface StepField {
  field: string;
  label: string;
  /** `bytes` may be base64, as the step's `encoding` says; `lines` are a list, one a line; `words` one parted by spaces, commas or lines. */
  kind: "text" | "area" | "bytes" | "password" | "lines" | "words" | "number";
  placeholder?: string;
  isOptional?: boolean;
}

/** What each kind of step asks for. */
export const stepFields: Record<StepType, StepField[]> = {
  file: [
    { field: "path", label: "Path", kind: "text", placeholder: "/etc/motd" },
    { field: "permissions", label: "Permissions", kind: "text", placeholder: "0644", isOptional: true },
    { field: "content", label: "Content", kind: "bytes" },
  ],
  "root-password": [{ field: "password", label: "Password", kind: "password", placeholder: "as it is kept" }],
  timezone: [{ field: "timezone", label: "Time zone", kind: "text", placeholder: "Europe/Berlin" }],
  locale: [{ field: "locale", label: "Locale", kind: "text", placeholder: "en_US.UTF-8" }],
  packages: [{ field: "packages", label: "Packages", kind: "words", placeholder: "htop git" }],
  script: [{ field: "script", label: "Script", kind: "area", placeholder: "#!/bin/sh\n" }],
  "ssh-keys": [{ field: "keys", label: "Public keys, one a line", kind: "lines", placeholder: "ssh-ed25519 AAAA…" }],
  console: [
    { field: "expect", label: "Wait for", kind: "text", placeholder: "login:" },
    { field: "send", label: "Then type", kind: "text", isOptional: true },
    { field: "timeoutSeconds", label: "Seconds at most", kind: "number", placeholder: "300", isOptional: true },
  ],
};

export const emptyRecipe: RecipeDraft = {
  name: "",
  title: "",
  description: "",
  base: "",
  place: "disk",
  steps: [{ key: 1, type: "file", values: {} }],
};

/** Steps that a place can do. */
export function stepTypesOf(place: RecipePlace): StepType[] {
  return (Object.keys(stepPlaces) as StepType[]).filter((type) => stepPlaces[type].includes(place));
}

export function draftOf(recipe: Recipe): RecipeDraft {
  const { name, title, description, base = "", place, steps } = recipe;
  return { name, title, description, base, place, steps: steps.map((step, index) => stepDraftOf(step, index + 1)) };
}

function stepDraftOf(step: RecipeStep, key: number): StepDraft {
  const { type, ...rest } = step;
  const texts = Object.entries(rest).map(([field, value]) => [
    field,
    Array.isArray(value) ? value.join(type === "packages" ? " " : "\n") : String(value),
  ]);
  return { key, type, values: Object.fromEntries(texts) };
}

/** The body of a request: what the draft says, without what was left empty. */
export function recipeRequestOf(draft: RecipeDraft): z.input<typeof recipeSchema> {
  const { name, title, description, base, place, steps } = draft;
  return {
    name: name.trim(),
    title: title.trim(),
    description: description.trim(),
    ...(base.trim() && { base: base.trim() }),
    place,
    steps: steps.map(stepRequestOf) as z.input<typeof recipeSchema>["steps"],
  };
}

function stepRequestOf({ type, values }: StepDraft): Record<string, unknown> {
  const request: Record<string, unknown> = { type };
  for (const { field, kind, isOptional } of stepFields[type]) {
    const text = values[field] ?? "";
    if (kind === "lines")
      request[field] = text
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean);
    else if (kind === "words") request[field] = text.split(/[\s,]+/).filter(Boolean);
    else if (text !== "" || !isOptional) request[field] = kind === "number" ? Number(text) : text;
  }
  if (type === "file" && values.encoding === "base64") request.encoding = values.encoding;
  if (type !== "root-password" || request.password) return request;
  // No new password: the one that is kept, by its hash.
  return { type, ...(values.passwordHash ? { passwordHash: values.passwordHash } : { password: "" }) };
}

/** What is wrong, by field; empty when the server will take it by its form. */
export function recipeProblems(draft: RecipeDraft): FieldErrors {
  const problems: FieldErrors = {};
  for (const issue of recipeSchema.safeParse(recipeRequestOf(draft), { error: plainWords }).error?.issues ?? []) {
    problems[issue.path.join(".")] ??= issue.message;
  }
  return problems;
}
