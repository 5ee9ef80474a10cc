import type { ReactNode } from "react";
import { Badge } from "../ui/Badge";
import { CodeBlock } from "../ui/CodeBlock";
import { InlineCode } from "../ui/InlineCode";
import type { Tone } from "../ui/tone";
import { curlOf } from "./example";
import { type DocOperation, type OpenApiDocument, resolve } from "./openapi";
import { FieldTable, SchemaTable } from "./SchemaTable";
import { TypeText } from "./TypeText";

const methodTones: Record<string, Tone> = { GET: "neutral", POST: "ok", PATCH: "warn", DELETE: "bad" };

interface OperationDocProps {
  operation: DocOperation;
  document: OpenApiDocument;
  origin: string;
}

export function OperationDoc({ operation, document, origin }: OperationDocProps) {
  const { anchor, method, path, summary, description, isOpen, parameters, body, takesFile, success } = operation;
  const isWebSocket = success.status === "101";
  return (
    <article
      id={anchor}
      aria-labelledby={`${anchor}-title`}
      className="scroll-mt-16 rounded-lg border border-line bg-surface"
    >
      <header className="px-4 py-3">
        <h3 id={`${anchor}-title`} className="font-medium text-base">
          <a href={`#${anchor}`} className="hover:underline">
            {summary}
          </a>
        </h3>
        <p className="mt-1 flex flex-wrap items-center gap-2">
          <Badge tone={isWebSocket ? "info" : (methodTones[method] ?? "neutral")}>
            {isWebSocket ? "WebSocket" : method}
          </Badge>
          <code className="wrap-anywhere font-mono text-sm">{path}</code>
          {isOpen ? <Badge>needs no token</Badge> : null}
        </p>
        {description ? (
          <p className="mt-2 text-muted text-sm">
            <InlineCode text={description} />
          </p>
        ) : null}
      </header>
      {parameters.length > 0 ? (
        <Part title="Parameters">
          <FieldTable
            label={`Parameters of ${summary}`}
            fields={parameters.map(({ name, required = false, schema }) => ({ name, isRequired: required, schema }))}
          />
        </Part>
      ) : null}
      {body ? (
        <Part title="Body">
          <SchemaTable label={`Body of ${summary}`} schema={resolve(body, document)} />
        </Part>
      ) : null}
      {takesFile ? (
        <Part title="Body">
          <p className="px-4 pb-3 text-muted text-sm">The file's bytes, as application/octet-stream.</p>
        </Part>
      ) : null}
      <Part title={`Answer ${success.status}`}>
        <div className="text-sm">
          {success.schema === undefined ? (
            <p className="px-4 pb-3 text-muted">{isWebSocket ? "The connection." : "No body."}</p>
          ) : success.contentType === "application/json" && success.schema.$ref === undefined ? (
            <SchemaTable label={`Answer of ${summary}`} schema={success.schema} />
          ) : (
            <p className="px-4 pb-3 text-muted">
              {success.contentType === "application/json" ? <TypeText schema={success.schema} /> : success.contentType}
            </p>
          )}
        </div>
      </Part>
      {isWebSocket ? null : (
        <div className="border-line border-t p-3">
          <CodeBlock wrap what={`curl line: ${summary}`} code={curlOf(operation, document, origin)} />
        </div>
      )}
    </article>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="border-line border-t">
      <h4 className="px-4 pt-3 pb-1 font-medium text-sm">{title}</h4>
      {children}
    </section>
  );
}
