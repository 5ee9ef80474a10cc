import type { DocGroup } from "./openapi";

/** What the page holds. */
export function DocsNav({ groups }: { groups: DocGroup[] }) {
  return (
    <nav aria-label="API" className="text-sm">
      <ul className="flex flex-col gap-4">
        {groups.map((group) => (
          <li key={group.anchor}>
            <a href={`#${group.anchor}`} className="font-medium hover:underline">
              {group.name}
            </a>
            <ul className="mt-1 flex flex-col">
              {group.operations.map((operation) => (
                <li key={operation.anchor}>
                  <a href={`#${operation.anchor}`} className="block truncate py-0.5 text-muted hover:text-ink">
                    {operation.summary}
                  </a>
                </li>
              ))}
            </ul>
          </li>
        ))}
        <li>
          <a href="#schemas" className="font-medium hover:underline">
            Shapes
          </a>
        </li>
      </ul>
    </nav>
  );
}
