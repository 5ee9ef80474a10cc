import { expect, test } from "vitest";
import { z } from "zod";
import { openApiDocument } from "./openapi";

const operationSchema = z.object({
  responses: z.record(
    z.string(),
    z.object({ content: z.record(z.string(), z.object({ schema: z.unknown() })).optional() }),
  ),
});
const { paths } = z
  .object({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) })
  .parse(openApiDocument());

const failed = { $ref: "#/components/schemas/LabError" };
const denied = { $ref: "#/components/schemas/LabDenied" };

test.each(["vm_list", "vm_create", "vm_info", "vm_start", "vm_stop", "vm_delete"])(
  "/%s answers what went wrong as the lab does, by its status too",
  (name) => {
    const [operation] = Object.values(paths[`/${name}`] ?? {});
    const schemaOf = (status: number) => operation?.responses[status]?.content?.["application/json"]?.schema;
    expect(Object.keys(operation?.responses ?? {})).toEqual(["200", "401", "403", "405"]);
    expect(schemaOf(200)).toEqual({ anyOf: [expect.anything(), failed] });
    expect([schemaOf(401), schemaOf(403), schemaOf(405)]).toEqual([denied, denied, undefined]);
  },
);

test("all else answers a problem", () => {
  const others = Object.entries(paths).filter(([path]) => !path.startsWith("/vm_"));
  expect(others.length).toBeGreaterThan(50);
  for (const [path, operations] of others) {
    for (const { responses } of Object.values(operations)) {
      expect([path, Object.keys(responses.default?.content ?? {})]).toEqual([path, ["application/problem+json"]]);
    }
  }
});
