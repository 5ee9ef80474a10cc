import GithubSlugger from "github-slugger";
import { lexer } from "marked";
import { plainText } from "./GuideInline";

/** The sections of a guide: the way around in a long one. */
export function GuideContents({ source }: { source: string }) {
  const sections = sectionsOf(source);
  if (sections.length === 0) return null;
  return (
    <nav aria-label="On this page" className="text-sm">
      <p className="font-medium">On this page</p>
      <ul className="mt-1 flex flex-col">
        {sections.map(({ id, title }) => (
          <li key={id}>
            <a href={`#${id}`} className="block py-0.5 text-muted hover:text-ink">
              {title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Its headings of the second level. All of them count for the ids, as they do in its text. */
function sectionsOf(source: string) {
  const slugger = new GithubSlugger();
  return lexer(source).flatMap((token) => {
    if (token.type !== "heading") return [];
    const title = plainText(token.tokens ?? []);
    const id = slugger.slug(title);
    return token.depth === 2 ? [{ id, title }] : [];
  });
}
