"use client";

import { useTemplates } from "../../settings/userData/useTemplates";
import { Field } from "../../ui/Field";
import { Select } from "../../ui/Select";
import { TextLink } from "../../ui/TextLink";

/** Puts a saved template's text into the form, to be changed there. Nothing where none is saved. */
export function TemplatePicker({ onPick }: { onPick: (userData: string) => void }) {
  const { data: templates } = useTemplates();
  if (!templates?.length) return null;
  return (
    <Field
      label="Template"
      aside={<TextLink href="/settings/user-data">Templates</TextLink>}
      hint="Replaces what stands below."
      className="mb-4 max-w-md"
    >
      {(control) => (
        <Select
          {...control}
          value=""
          onChange={(event) => {
            const template = templates.find(({ id }) => String(id) === event.target.value);
            if (template) onPick(template.userData);
          }}
        >
          <option value="">Choose one…</option>
          {templates.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}
