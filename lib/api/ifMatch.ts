/**
 * The versions of which a request says that it is about one of them (RFC 9110, section 13.1.1); null when it is about whatever is there.
 * A version is taken with and without its quotes.
 */
export function ifMatchOf({ headers }: Pick<Request, "headers">): string[] | null {
  const value = headers.get("if-match");
  if (value === null || value.trim() === "*") return null;
  return value.split(",").map((tag) => tag.trim().replace(/^"(.*)"$/, "$1"));
}
