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
