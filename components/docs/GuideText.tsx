import GithubSlugger from "github-slugger";
import { lexer, type MarkedToken, type Token, type Tokens } from "marked";
import { createElement, Fragment, type ReactNode } from "react";
import { CodeBlock } from "../ui/CodeBlock";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../ui/Table";
import { GuideInline, plainText } from "./GuideInline";

const headingClass: Record<number, string> = {
  1: "font-medium text-xl tracking-tight",
  2: "mt-6 font-medium text-lg",
};

interface GuideTextProps {
  /** Markdown. */
  source: string;
  /** The names of all guides, which it may link to. */
  guides: readonly string[];
}

/** A guide's text: markup becomes elements, and HTML in it is shown as text. Examples use the width, words don't. */
export function GuideText({ source, guides }: GuideTextProps) {
  return <div className="flex flex-col gap-4 text-base leading-6">{blocksOf(lexer(source), guides)}</div>;
}

/** What is numbered, or named by the heading above it. */
interface Place {
  slugger: GithubSlugger;
  heading: string;
  examples: number;
}

function blocksOf(tokens: Token[], guides: readonly string[], place = startOfGuide()): ReactNode[] {
  return tokens.map((token, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never change places
    <Fragment key={index}>{blockOf(token as MarkedToken, guides, place)}</Fragment>
  ));
}

function startOfGuide(): Place {
  return { slugger: new GithubSlugger(), heading: "", examples: 0 };
}

function blockOf(token: MarkedToken, guides: readonly string[], place: Place): ReactNode {
  switch (token.type) {
    case "space":
      return null;
    case "heading": {
      place.heading = plainText(token.tokens);
      const className = `scroll-mt-16 ${headingClass[token.depth] ?? "mt-2 font-medium text-base"}`;
      const id = place.slugger.slug(place.heading);
      return createElement(`h${token.depth}`, { id, className }, <GuideInline tokens={token.tokens} guides={guides} />);
    }
    case "paragraph":
      return (
        <p className="max-w-3xl">
          <GuideInline tokens={token.tokens} guides={guides} />
        </p>
      );
    case "code":
      place.examples += 1;
      return <CodeBlock what={`example ${place.examples}`} code={token.text} copyable={token.lang !== "console"} />;
    case "list": {
      const Items = token.ordered ? "ol" : "ul";
      return (
        <Items className={`flex max-w-3xl flex-col gap-2 pl-5 ${token.ordered ? "list-decimal" : "list-disc"}`}>
          {token.items.map((item) => (
            <li key={item.raw} className="marker:text-faint">
              <div className="flex flex-col gap-2">{blocksOf(item.tokens, guides, place)}</div>
            </li>
          ))}
        </Items>
      );
    }
    case "table":
      return <GuideTable table={token} label={place.heading} guides={guides} />;
    // Of a list's item.
    case "text":
      return (
        <p>
          <GuideInline tokens={token.tokens ?? [token]} guides={guides} />
        </p>
      );
    default:
      return <p>{token.raw}</p>;
  }
}

function GuideTable({ table, label, guides }: { table: Tokens.Table; label: string; guides: readonly string[] }) {
  const inlineOf = (cell: Tokens.TableCell) => <GuideInline tokens={cell.tokens} guides={guides} />;
  return (
    <div className="max-w-3xl rounded-lg border border-line bg-surface">
      <Table label={label}>
        <TableHead>
          {table.header.map((cell, column) => {
            const Cell = cell.text === "" ? Td : Th;
            // biome-ignore lint/suspicious/noArrayIndexKey: the columns of a text never change places
            return <Cell key={column}>{inlineOf(cell)}</Cell>;
          })}
        </TableHead>
        <TableBody>
          {table.rows.map((row) => (
            <Tr key={row.map((cell) => cell.text).join("|")}>
              {row.map((cell, column) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: as above
                <Td key={column} className="align-top">
                  {inlineOf(cell)}
                </Td>
              ))}
            </Tr>
          ))}
        </TableBody>
      </Table>
    </div>
  );
}
