import Link from "next/link";

export interface GuideTitle {
  name: string;
  title: string;
}

interface GuidesNavProps {
  guides: GuideTitle[];
  /** The name of the guide that is open. */
  current?: string | undefined;
}

/** The guides, and the way back from them to the API. */
export function GuidesNav({ guides, current }: GuidesNavProps) {
  return (
    <nav aria-label="Docs" className="text-sm">
      <p className="font-medium">Guides</p>
      <ul className="mt-1 flex flex-wrap gap-x-4 lg:flex-col">
        {guides.map(({ name, title }) => (
          <li key={name}>
            <Link
              href={`/docs/${name}`}
              prefetch={false}
              aria-current={name === current ? "page" : undefined}
              className="block py-0.5 text-muted hover:text-ink aria-[current]:font-medium aria-[current]:text-ink"
            >
              {title}
            </Link>
          </li>
        ))}
      </ul>
      {current === undefined ? null : (
        <Link href="/docs" prefetch={false} className="mt-4 block w-fit font-medium hover:underline">
          API
        </Link>
      )}
    </nav>
  );
}
