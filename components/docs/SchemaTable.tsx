import { InlineCode } from "../ui/InlineCode";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../ui/Table";
import type { Schema } from "./openapi";
import { TypeText } from "./TypeText";

interface SchemaTableProps {
  /** The table's accessible name. */
  label: string;
  schema: Schema;
}

/** The properties of an object; a line for any other schema. */
export function SchemaTable({ label, schema }: SchemaTableProps) {
  if (!schema.properties) {
    return (
      <p className="px-4 py-3 text-sm">
        <TypeText schema={schema} />
        {schema.description ? (
          <span className="text-muted">
            {" "}
            <InlineCode text={schema.description} />
          </span>
        ) : null}
      </p>
    );
  }
  return <FieldTable label={label} fields={fieldsOf(schema)} />;
}

export interface DocField {
  name: string;
  isRequired: boolean;
  schema: Schema;
}

/** Fields of nested objects stand under dotted names: "ssh.port", "items[].id". */
function fieldsOf(schema: Schema, prefix = ""): DocField[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const field = { name: prefix + name, isRequired: schema.required?.includes(name) ?? false, schema: property };
    const inner = property.type === "array" ? property.items : property;
    if (!inner?.properties) return [field];
    return [field, ...fieldsOf(inner, `${field.name}${property.type === "array" ? "[]" : ""}.`)];
  });
}

export function FieldTable({ label, fields }: { label: string; fields: DocField[] }) {
  return (
    <Table label={label}>
      <TableHead>
        <Th>Name</Th>
        <Th>Type</Th>
      </TableHead>
      <TableBody>
        {fields.map((field) => (
          <Tr key={field.name}>
            <Td className="w-2/5 align-top">
              <code className="wrap-anywhere font-mono text-xs">{field.name}</code>
              {field.isRequired ? null : <span className="ml-2 whitespace-nowrap text-faint text-xs">optional</span>}
            </Td>
            <Td className="text-muted text-xs">
              <TypeText schema={field.schema} />
              {field.schema.description ? (
                <span className="block">
                  <InlineCode text={field.schema.description} />
                </span>
              ) : null}
            </Td>
          </Tr>
        ))}
      </TableBody>
    </Table>
  );
}
