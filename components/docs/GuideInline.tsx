import type { MarkedToken, Token, Tokens } from "marked";
import { Fragment } from "react";
import { cx } from "../ui/cx";
import { inlineCodeClass } from "../ui/InlineCode";
import { TextLink, textLinkClass } from "../ui/TextLink";
import { guideLinkOf } from "./guideLinks";

const codeClass = cx(inlineCodeClass, "wrap-anywhere");

interface GuideInlineProps {
  tokens: Token[];
  guides: readonly string[];
}

/** Words of a guide with what is emphasised, code, or a link among them. */
export function GuideInline({ tokens, guides }: GuideInlineProps) {
  return tokens.map((token, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never change places
    <Fragment key={index}>
      <InlinePart token={token as MarkedToken} guides={guides} />
    </Fragment>
  ));
}

function InlinePart({ token, guides }: { token: MarkedToken; guides: readonly string[] }) {
  switch (token.type) {
    case "text":
      return token.tokens ? <GuideInline tokens={token.tokens} guides={guides} /> : token.text;
    case "escape":
    // An image's description: the guides' pages have none of their files.
    case "image":
      return token.text;
    case "strong":
      return (
        <strong className="font-medium">
          <GuideInline tokens={token.tokens} guides={guides} />
        </strong>
      );
    case "em":
      return (
        <em>
          <GuideInline tokens={token.tokens} guides={guides} />
        </em>
      );
    case "codespan":
      return <code className={codeClass}>{token.text}</code>;
    case "link":
      return <InlineLink link={token} guides={guides} />;
    default:
      return token.raw;
  }
}

function InlineLink({ link, guides }: { link: Tokens.Link; guides: readonly string[] }) {
  const target = guideLinkOf(link.href, guides);
  const words = <GuideInline tokens={link.tokens} guides={guides} />;
  switch (target.kind) {
    case "page":
      return <TextLink href={target.href}>{words}</TextLink>;
    case "web":
      return (
        <a href={target.href} className={textLinkClass}>
          {words}
        </a>
      );
    case "file": {
      const path = <code className={codeClass}>{target.path}</code>;
      return plainText(link.tokens) === target.path ? (
        path
      ) : (
        <>
          {words} ({path})
        </>
      );
    }
  }
}

/** The words alone. */
export function plainText(tokens: Token[]): string {
  return tokens
    .map((token) => ("tokens" in token && token.tokens ? plainText(token.tokens) : "text" in token ? token.text : ""))
    .join("");
}
