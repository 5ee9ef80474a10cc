import { Card } from "../ui/Card";
import { CodeBlock } from "../ui/CodeBlock";
import { InlineCode } from "../ui/InlineCode";
import { TextLink, textLinkClass } from "../ui/TextLink";
import { DocsFrame } from "./DocsFrame";
import { DocsNav } from "./DocsNav";
import type { GuideTitle } from "./GuidesNav";
import { OperationDoc } from "./OperationDoc";
import { groupsOf, type OpenApiDocument } from "./openapi";
import { SchemaTable } from "./SchemaTable";

interface DocsPageProps {
  document: OpenApiDocument;
  /** As the reader reaches this server. */
  origin: string;
  guides: GuideTitle[];
}

/** The API for people, from its own OpenAPI document. */
export function DocsPage({ document, origin, guides }: DocsPageProps) {
  const groups = groupsOf(document);
  const schemas = Object.entries(document.components?.schemas ?? {}).sort(([a], [b]) => a.localeCompare(b));
  return (
    <DocsFrame guides={guides} title={`API ${document.info.version}`} nav={<DocsNav groups={groups} />}>
      <h1 className="font-medium text-xl tracking-tight">API</h1>
      <Introduction document={document} origin={origin} />
      {groups.map((group) => (
        <section key={group.anchor} id={group.anchor} className="scroll-mt-12 pt-8">
          <h2 className="mb-3 font-medium text-lg">{group.name}</h2>
          <div className="flex flex-col gap-4">
            {group.operations.map((operation) => (
              <OperationDoc key={operation.anchor} operation={operation} document={document} origin={origin} />
            ))}
          </div>
        </section>
      ))}
      <section id="schemas" className="scroll-mt-12 pt-8">
        <h2 className="mb-3 font-medium text-lg">Shapes</h2>
        <div className="flex flex-col gap-4">
          {schemas.map(([name, schema]) => (
            <article key={name} id={`schema-${name}`} className="scroll-mt-16 rounded-lg border border-line bg-surface">
              <h3 className="border-line border-b px-4 py-2.5 font-medium">{name}</h3>
              <SchemaTable label={`Fields of ${name}`} schema={schema} />
            </article>
          ))}
        </div>
      </section>
    </DocsFrame>
  );
}

function Introduction({ document, origin }: { document: OpenApiDocument; origin: string }) {
  return (
    <div className="mt-1 flex flex-col gap-4">
      <p className="max-w-3xl text-muted">
        Whatever the console does, a program can do with these calls.{" "}
        <InlineCode text={document.info.description ?? ""} /> The same as{" "}
        <a href="/api/openapi.json" className={textLinkClass}>
          OpenAPI 3.1
        </a>
        , for tools and generated clients.
      </p>
      <Card title="Start here">
        <p className="mb-3 text-muted text-sm">
          Make a token under <TextLink href="/settings/tokens">Settings, API tokens</TextLink>, then:
        </p>
        <CodeBlock
          wrap
          what="first calls"
          code={[
            "export CUMULUS_TOKEN=…",
            `curl -H "Authorization: Bearer $CUMULUS_TOKEN" ${origin}/api/vms`,
            `curl -H "Authorization: Bearer $CUMULUS_TOKEN" -H 'Content-Type: application/json' \\`,
            `  -d '{"name":"web-1","image":"mini","size":"small"}' '${origin}/api/vms?wait=ready'`,
          ].join("\n")}
        />
      </Card>
    </div>
  );
}
