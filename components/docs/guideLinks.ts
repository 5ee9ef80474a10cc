/** Where a link of a guide leads on the dashboard. */
export type GuideLink =
  | { kind: "page"; href: string }
  | { kind: "web"; href: string }
  /** A file of the checkout, which the dashboard doesn't show: its path is told. */
  | { kind: "file"; path: string };

/** @param href as the guide has it, relative to its folder @param guides the names of all guides */
export function guideLinkOf(href: string, guides: readonly string[]): GuideLink {
  if (href.startsWith("#")) return { kind: "page", href };
  if (/^https?:\/\//.test(href)) return { kind: "web", href };
  const [, name = "", hash = ""] = /^([\w-]+)\.md(#.*)?$/.exec(href) ?? [];
  if (guides.includes(name)) return { kind: "page", href: `/docs/${name}${hash}` };
  return { kind: "file", path: href.startsWith("../") ? href.slice("../".length) : `docs/${href}` };
}
