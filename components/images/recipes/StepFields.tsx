"use client";

import { ArrowDown, ArrowUp, Trash2 } from "lucide-react";
import type { FileContent } from "../../../lib/domain/fileContent";
import type { RecipePlace } from "../../../lib/domain/recipe";
import { FileContentField } from "../../files/FileContentField";
import { Field } from "../../ui/Field";
import { IconButton } from "../../ui/IconButton";
import { Input } from "../../ui/Input";
import { Select } from "../../ui/Select";
import { Textarea } from "../../ui/Textarea";
import { type StepDraft, type StepType, stepFields, stepTypesOf } from "./recipeDraft";
import { stepWords } from "./recipeWords";

interface StepFieldsProps {
  step: StepDraft;
  number: number;
  place: RecipePlace;
  problemOf: (field: string) => string | undefined;
  onChange: (step: StepDraft) => void;
  /** Undefined where it can't go further. */
  onMove: { up: (() => void) | undefined; down: (() => void) | undefined };
  onRemove: () => void;
}

/** One step of a recipe: what it does, and what it needs for that. */
export function StepFields({ step, number, place, problemOf, onChange, onMove, onRemove }: StepFieldsProps) {
  const types = stepTypesOf(place);
  const isMisplaced = !types.includes(step.type);
  return (
    <fieldset aria-label={`Step ${number}`} className="grid min-w-0 gap-3 rounded-lg border border-line p-3">
      <div className="flex items-end gap-2">
        <Field label={`Step ${number}`} error={problemOf("type")} className="min-w-0 flex-1">
          {(control) => (
            <Select
              {...control}
              value={step.type}
              onChange={(event) => onChange({ ...step, type: event.target.value as StepType })}
            >
              {isMisplaced ? <option value={step.type}>{stepWords[step.type]}</option> : null}
              {types.map((type) => (
                <option key={type} value={type}>
                  {stepWords[type]}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <IconButton
          label={`Move step ${number} up`}
          icon={<ArrowUp aria-hidden />}
          disabledReason={onMove.up ? undefined : "It is the first."}
          onClick={onMove.up}
        />
        <IconButton
          label={`Move step ${number} down`}
          icon={<ArrowDown aria-hidden />}
          disabledReason={onMove.down ? undefined : "It is the last."}
          onClick={onMove.down}
        />
        <IconButton label={`Remove step ${number}`} icon={<Trash2 aria-hidden />} onClick={onRemove} />
      </div>
      {stepFields[step.type].map(({ field, label, kind, placeholder, isOptional }) =>
        kind === "bytes" ? (
          <FileContentField
            key={field}
            value={contentOf(step, field)}
            onChange={({ content, encoding = "utf8" }) =>
              onChange({ ...step, values: { ...step.values, [field]: content, encoding } })
            }
            error={problemOf(field)}
            rows={6}
          />
        ) : (
          <Field key={field} label={label} aside={isOptional ? "optional" : undefined} error={problemOf(field)}>
            {(control) => {
              const shared = {
                ...control,
                mono: true,
                placeholder,
                spellCheck: false,
                value: step.values[field] ?? "",
                onChange: (event: { target: { value: string } }) =>
                  onChange({ ...step, values: { ...step.values, [field]: event.target.value } }),
              };
              if (kind === "area" || kind === "lines") return <Textarea {...shared} rows={kind === "area" ? 6 : 3} />;
              return (
                <Input
                  {...shared}
                  type={kind === "password" ? "password" : "text"}
                  inputMode={kind === "number" ? "numeric" : undefined}
                  autoComplete={kind === "password" ? "new-password" : "off"}
                />
              );
            }}
          </Field>
        ),
      )}
    </fieldset>
  );
}

function contentOf({ values }: StepDraft, field: string): FileContent {
  return { content: values[field] ?? "", encoding: values.encoding === "base64" ? "base64" : "utf8" };
}
