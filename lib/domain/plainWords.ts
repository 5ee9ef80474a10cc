import type { z } from "zod";

const formats: Record<string, string> = {
  ipv4: "Give an IPv4 address such as 192.168.0.2.",
  ipv6: "Give an IPv6 address such as fd00::2.",
  cidrv4: "Give a range such as 192.168.0.0/24.",
  cidrv6: "Give a range such as fd00::/64.",
  uuid: "Give a UUID.",
  url: "Give a URL, such as https://example.com/.",
  email: "Give an email address.",
  datetime: "Give a time such as 2026-01-31T12:00:00Z.",
  date: "Give a date such as 2026-01-31.",
};

const types: Record<string, string> = {
  string: "Give a text.",
  number: "Give a number.",
  int: "Give a whole number.",
  boolean: "Give true or false.",
  array: "Give a list.",
  object: "Give an object.",
  record: "Give an object.",
};

const other = "This can't be.";

/** What is wrong with a value where its schema has no words of its own: an error map of zod's. Pure. */
export function plainWords(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "It is missing." : (types[issue.expected] ?? other);
    case "invalid_value":
      return `${issue.input === undefined ? "It is missing. " : ""}${oneOf(issue.values)}`;
    case "invalid_format":
      return formats[issue.format] ?? "It doesn't have the form that is asked for.";
    case "too_small":
      return tooSmall(issue);
    case "too_big":
      return tooBig(issue);
    case "not_multiple_of":
      return `Give a multiple of ${issue.divisor}.`;
    case "unrecognized_keys":
      return "There is no such field.";
    case "invalid_union":
      return issue.input === undefined ? "It is missing." : inUnion(issue);
    default:
      return other;
  }
}

function oneOf(values: readonly unknown[]): string {
  return values.length === 1 ? `Give ${String(values[0])}.` : `One of: ${values.map(String).join(", ")}.`;
}

function tooSmall({ origin, minimum, inclusive = true }: z.core.$ZodRawIssue<z.core.$ZodIssueTooSmall>): string {
  const items = itemsOf(origin, minimum);
  if (items !== null) return Number(minimum) === 1 ? "It is empty." : `Give ${items} at the least.`;
  return inclusive ? `Give ${minimum} at the least.` : `Give more than ${minimum}.`;
}

function tooBig({ origin, maximum, inclusive = true }: z.core.$ZodRawIssue<z.core.$ZodIssueTooBig>): string {
  const items = itemsOf(origin, maximum);
  if (items !== null) return `Give ${items} at the most.`;
  return inclusive ? `Give ${maximum} at the most.` : `Give less than ${maximum}.`;
}

/** So many of what a value is made of; null for a number. */
function itemsOf(origin: string, count: number | bigint): string | null {
  const isOne = Number(count) === 1;
  if (origin === "string") return `${count} ${isOne ? "character" : "characters"}`;
  return ["array", "set", "map"].includes(origin) ? `${count} ${isOne ? "item" : "items"}` : null;
}

/** What the value lacks to be the one of several kinds that it is nearest to. */
function inUnion(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string {
  if (Array.isArray(issue.options) && issue.options.length > 0) return oneOf(issue.options);
  const inner = issue.errors.flat();
  const isOfThatKind = (one: z.core.$ZodIssue) => one.code !== "invalid_type" || one.expected === "int";
  return (inner.find(({ code }) => code === "custom") ?? inner.find(isOfThatKind) ?? inner[0])?.message ?? other;
}
