import { expect, test } from "vitest";
import * as z from "zod";
import { CumulusError } from "../domain/errors";
import { createForwardSchema } from "../domain/portForward";
import { diagnoseSchema } from "../domain/vmNetworking";
import { check } from "./parse";

function fieldsOf(schema: z.ZodType, value: unknown): unknown {
  try {
    check(schema, value);
  } catch (error) {
    if (error instanceof CumulusError) return error.fields;
    throw error;
  }
}

test.each([0, -1, 65_536, 2 ** 40, 22.5, "22", null, Number.NaN])(
  "%s is no port, and what ports are is said",
  (port) => {
    const ports = "Ports are 1 to 65535.";
    expect(fieldsOf(diagnoseSchema, { port })).toEqual({ port: ports });
    expect(fieldsOf(createForwardSchema, { port, hostPort: port })).toEqual({ port: ports, hostPort: ports });
  },
);

test("a number that a schema has no words for is told of as people do", () => {
  const schema = z.strictObject({
    a: z.number().int().min(1).max(8),
    b: z.number().positive().lt(5).nullable(),
  });
  expect(fieldsOf(schema, { a: 0, b: 0 })).toEqual({ a: "Give 1 at the least.", b: "Give more than 0." });
  expect(fieldsOf(schema, { a: 9, b: 5 })).toEqual({ a: "Give 8 at the most.", b: "Give less than 5." });
  expect(fieldsOf(schema, { a: 1.5, b: "x" })).toEqual({ a: "Give a whole number.", b: "Give a number." });
  expect(fieldsOf(schema, { a: 1, b: null })).toBeUndefined();
});

const kinds = z.strictObject({
  text: z.string().min(1).max(3),
  list: z
    .array(z.enum(["a", "b"]))
    .min(2)
    .max(2),
  flag: z.boolean(),
  inner: z.strictObject({ at: z.iso.datetime() }),
  address: z.ipv4(),
  id: z.union([z.ipv6(), z.number().int()]),
  kind: z.discriminatedUnion("type", [z.object({ type: z.literal("one") }), z.object({ type: z.literal("two") })]),
  even: z.number().multipleOf(2),
});
const fine = {
  ...{ text: "abc", list: ["a", "b"], flag: true, inner: { at: "2026-01-31T12:00:00Z" }, address: "10.0.0.1", id: 1 },
  ...{ kind: { type: "one" }, even: 2 },
};

test.each<[value: object, fields: object]>([
  [{}, {}],
  [
    { text: undefined, flag: undefined },
    { text: "It is missing.", flag: "It is missing." },
  ],
  [
    { text: 1, flag: "yes" },
    { text: "Give a text.", flag: "Give true or false." },
  ],
  [{ text: "" }, { text: "It is empty." }],
  [{ text: "abcd" }, { text: "Give 3 characters at the most." }],
  [{ list: {} }, { list: "Give a list." }],
  [{ list: ["a"] }, { list: "Give 2 items at the least." }],
  [{ list: ["a", "c"] }, { "list.1": "One of: a, b." }],
  [{ list: ["a", undefined] }, { "list.1": "It is missing. One of: a, b." }],
  [{ inner: [] }, { inner: "Give an object." }],
  [{ inner: { at: "today" } }, { "inner.at": "Give a time such as 2026-01-31T12:00:00Z." }],
  [{ inner: { ...fine.inner, more: 1 } }, { "inner.more": "There is no such field." }],
  [{ address: "10.0.0.256" }, { address: "Give an IPv4 address such as 192.168.0.2." }],
  [{ id: undefined }, { id: "It is missing." }],
  [{ id: "10.0.0.1" }, { id: "Give an IPv6 address such as fd00::2." }],
  [{ id: 1.5 }, { id: "Give a whole number." }],
  [{ kind: {} }, { "kind.type": "One of: one, two." }],
  [{ even: 3 }, { even: "Give a multiple of 2." }],
])("what is wrong with %j is said in plain words", (change, fields) => {
  expect(fieldsOf(kinds, { ...fine, ...change }) ?? {}).toEqual(fields);
});

test.each([[[]], ["text"], [null], [1]])(
  "a body that is %j is refused as a whole, and not as a field without a name",
  (body) => {
    expect(() => check(kinds, body)).toThrow(
      expect.objectContaining({ code: "bad_request", message: "Give an object.", fields: {} }),
    );
  },
);
