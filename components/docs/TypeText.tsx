import { Fragment } from "react";
import { textLinkClass } from "../ui/TextLink";
import { refName, type Schema } from "./openapi";

/** A schema's type in words, with links to the shapes that have a name. */
export function TypeText({ schema }: { schema: Schema }) {
  if (schema.$ref !== undefined) {
    const name = refName(schema.$ref);
    return (
      <a href={`#schema-${name}`} className={textLinkClass}>
        {name}
      </a>
    );
  }
  if (schema.const !== undefined) return <code className="font-mono">{JSON.stringify(schema.const)}</code>;
  if (schema.enum)
    return <code className="wrap-anywhere font-mono">{schema.enum.map((value) => String(value)).join(" | ")}</code>;
  const options = schema.anyOf ?? schema.oneOf;
  if (options) {
    return options.map((option, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: the options of a schema never change places
      <Fragment key={index}>
        {index > 0 ? " or " : null}
        <TypeText schema={option} />
      </Fragment>
    ));
  }
  if (schema.type === "array") {
    return (
      <>
        list of <TypeText schema={schema.items ?? {}} />
      </>
    );
  }
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : (schema.type ?? "any");
  return schema.format ? `${type}, ${schema.format}` : type;
}
