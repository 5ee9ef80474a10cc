import { describe, expect, test } from "vitest";
import { openApiDocument } from "../../lib/api/openapi";
import { curlOf, exampleOf } from "./example";
import { type DocOperation, groupsOf, type OpenApiDocument, resolve } from "./openapi";

const document = openApiDocument() as unknown as OpenApiDocument;
const operations = groupsOf(document).flatMap((group) => group.operations);

function find(method: string, path: string): DocOperation {
  const found = operations.find((operation) => operation.method === method && operation.path === path);
  if (!found) throw new Error(`No ${method} ${path}`);
  return found;
}

test("every operation of the document is shown once, under an anchor of its own", () => {
  const count = Object.values(document.paths).reduce((sum, methods) => sum + Object.keys(methods).length, 0);
  expect(operations).toHaveLength(count);
  expect(new Set(operations.map(({ anchor }) => anchor)).size).toBe(count);
});

test("every reference in the document leads to a schema", () => {
  const references = JSON.stringify(document).match(/"#\/components\/schemas\/\w+"/g) ?? [];
  expect(references.length).toBeGreaterThan(0);
  for (const reference of new Set(references)) {
    expect(resolve({ $ref: JSON.parse(reference) }, document), reference).not.toEqual({});
  }
});

describe("the curl line", () => {
  test("of a read is one line with the token", () => {
    expect(curlOf(find("GET", "/api/vms/{id}"), document, "http://h:1")).toBe(
      'curl -H "Authorization: Bearer $CUMULUS_TOKEN" http://h:1/api/vms/1',
    );
  });

  test("of an open operation has no token", () => {
    expect(curlOf(find("GET", "/api/health"), document, "http://h:1")).toBe("curl http://h:1/api/health");
  });

  test("of a creation has a body with what is required", () => {
    const create = find("POST", "/api/vms");
    expect(exampleOf(create.body ?? {}, document)).toEqual({ name: "web-1", image: "mini", size: "small" });
    expect(curlOf(create, document, "http://h:1")).toContain(`-d '{"name":"web-1","image":"mini","size":"small"}'`);
  });

  test("of an upload sends a file, with what the query must say", () => {
    const upload = curlOf(find("PUT", "/api/images/upload"), document, "http://h:1");
    expect(upload).toContain("-T disk.qcow2");
    expect(upload).toContain("'http://h:1/api/images/upload?fileName=disk.qcow2&name=web-1'");
  });
});
