import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { lexer, walkTokens } from "marked";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import { readGuides } from "../../lib/guides";
import { projectDir } from "../../lib/paths";
import { TooltipProvider } from "../ui/Tooltip";
import { GuideContents } from "./GuideContents";
import { GuideText } from "./GuideText";
import { guideLinkOf } from "./guideLinks";

const guides = readGuides();
const names = guides.map(({ name }) => name);
const pages = new Map(guides.map(({ name, source }) => [`/docs/${name}`, render(source)]));

function render(source: string): string {
  const text = createElement(GuideText, { source, guides: names });
  return renderToStaticMarkup(createElement(TooltipProvider, null, text));
}

function linksOf(source: string): string[] {
  const links: string[] = [];
  walkTokens(lexer(source), (token) => {
    if (token.type === "link") links.push(token.href);
  });
  return links;
}

/** Whether there is such a place on a page of the guides. */
function isPlace(href: string): boolean {
  const [path = "", anchor] = href.split("#");
  const page = pages.get(path);
  return page !== undefined && (anchor === undefined || page.includes(`id="${anchor}"`));
}

test("the guides are the Markdown files of docs, by the titles that they have", () => {
  const files = readdirSync(join(projectDir, "docs")).filter((name) => name.endsWith(".md"));
  expect(names.map((name) => `${name}.md`)).toEqual(files.sort());
  expect(guides.find(({ name }) => name === "snapshots")?.title).toBe("Snapshots and backups");
});

describe.each(guides)("$name", ({ name, title, source }) => {
  const page = pages.get(`/docs/${name}`) ?? "";

  test("is shown with one title and all of its headings, and no heading twice under one id", () => {
    expect(page.match(/<h1 /g)).toHaveLength(1);
    expect(page).toContain(`${title}</h1>`);
    const ids = [...page.matchAll(/<h\d id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids).toHaveLength(lexer(source).filter(({ type }) => type === "heading").length);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("lists its sections, each by a link to it", () => {
    const contents = renderToStaticMarkup(createElement(GuideContents, { source }));
    const links = [...contents.matchAll(/href="(#[^"]+)"/g)].map(([, href]) => href ?? "");
    expect(links).toHaveLength(page.match(/<h2 /g)?.length ?? 0);
    expect(links.filter((href) => !isPlace(`/docs/${name}${href}`))).toEqual([]);
  });

  test("holds nothing that its page can't show", () => {
    const shown = "space heading paragraph code list list_item table text escape strong em codespan link image";
    const types = new Set<string>();
    walkTokens(lexer(source), ({ type }) => {
      types.add(type);
    });
    expect([...types].filter((type) => !shown.split(" ").includes(type))).toEqual([]);
    expect(source.replaceAll(/`[^`]*`/g, "")).not.toMatch(/&#?\w+;/);
  });

  test("has links that lead to what is there", () => {
    for (const href of linksOf(source)) {
      const link = guideLinkOf(href, names);
      if (link.kind === "page")
        expect(isPlace(link.href.startsWith("#") ? `/docs/${name}${link.href}` : link.href), href).toBe(true);
      if (link.kind === "file") expect(existsSync(join(projectDir, link.path)), href).toBe(true);
    }
  });
});

test("pages of the dashboard link to guides, and to places of them, that are there", () => {
  const links = ["app", "components"].flatMap((folder) =>
    readdirSync(join(projectDir, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".tsx"))
      .flatMap((file) => [...readFileSync(join(projectDir, folder, file), "utf8").matchAll(/"(\/docs\/[^"]+)"/g)])
      .map(([, href]) => href ?? ""),
  );
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((href) => !isPlace(href))).toEqual([]);
});

describe("a guide's text", () => {
  test("links to another guide, to the web, and names files of the checkout", () => {
    expect(render("[there](images.md#the-first-boot)")).toContain('href="/docs/images#the-first-boot"');
    expect(render("[restic](https://restic.net)")).toContain('href="https://restic.net"');
    expect(render("[the agent](../deploy/a.service)")).toMatch(/the agent \(<code[^>]*>deploy\/a\.service<\/code>\)/);
    expect(render("[lib/db](../lib/db)")).toMatch(/<p[^>]*><code[^>]*>lib\/db<\/code><\/p>/);
  });

  test("has no links of other schemes, and HTML as text", () => {
    expect(render("[x](javascript:alert(1))")).not.toContain("href");
    expect(render("a <b onclick=x>b</b>\n\n<script>1</script>")).not.toMatch(/<b |<script/);
  });

  test("has a button to copy commands, and none where answers stand between them", () => {
    expect(render("```sh\nls\n```")).toContain('aria-label="Copy example 1"');
    expect(render("```console\n$ ls\nfile\n```")).not.toContain("Copy example");
  });
});
