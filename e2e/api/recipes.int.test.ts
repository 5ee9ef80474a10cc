import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stack, startStack } from "../stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
});
afterAll(async () => {
  await stack?.stop();
});

test("a recipe is kept without its passwords, changed, and deleted", async () => {
  const recipe = {
    name: "greeting",
    title: "A greeting",
    steps: [{ type: "root-password", password: "open-sesame" }],
  };
  const added = await stack.api<{ id: number; recipe: object }>("POST", "/api/recipes", recipe);
  expect(added.status).toBe(201);
  expect(JSON.stringify(added.body)).not.toContain("open-sesame");
  expect(JSON.stringify(added.body)).toContain("$6$");
  expect((await stack.api("POST", "/api/recipes", recipe)).status).toBe(409);
  const path = `/api/recipes/${added.body.id}`;
  const misplaced = await stack.api<{ fields: object }>("PATCH", path, { place: "console" });
  expect(misplaced).toMatchObject({ status: 400, body: { fields: { "steps.0.type": expect.any(String) } } });
  const changed = await stack.api("PATCH", path, { title: "Hello", base: "mini" });
  expect(changed.body).toMatchObject({ recipe: { title: "Hello", base: "mini", place: "disk" } });
  expect((await stack.api("DELETE", path)).status).toBe(204);
  expect((await stack.api("GET", path)).status).toBe(404);
});

test("a recipe's file may be any bytes as base64, and is refused at its field when it is none", async () => {
  const file = { type: "file", path: "/srv/logo", content: "AP8K", encoding: "base64" };
  const recipe = { name: "logo", title: "A logo", steps: [file] };
  const broken = { steps: [{ ...file, content: "AP8" }] };
  const refusal = { status: 400, body: { fields: { "steps.0.content": expect.stringMatching(/base64/) } } };
  expect(await stack.api("POST", "/api/recipes", { ...recipe, ...broken })).toMatchObject(refusal);
  const added = await stack.api<{ id: number }>("POST", "/api/recipes", recipe);
  expect(added).toMatchObject({ status: 201, body: { recipe: { steps: [file] } } });
  expect(await stack.api("PATCH", `/api/recipes/${added.body.id}`, broken)).toMatchObject(refusal);
  expect(await stack.api("POST", "/api/images", { recipe: { ...recipe, ...broken }, base: "mini" })).toMatchObject({
    status: 400,
    body: { fields: { "recipe.steps.0.content": expect.stringMatching(/base64/) } },
  });
  await stack.api("DELETE", `/api/recipes/${added.body.id}`);
});

test("a template is checked as user data, kept, changed, and deleted", async () => {
  const template = { name: "web", userData: "#cloud-config\npackages: [nginx]\n" };
  const bad = await stack.api("POST", "/api/user-data-templates", { ...template, userData: "#cloud-config\na: [" });
  expect(bad).toMatchObject({ status: 400, body: { fields: { userData: expect.any(String) } } });
  const added = await stack.api<{ id: number }>("POST", "/api/user-data-templates", template);
  expect(added).toMatchObject({ status: 201, body: template });
  expect((await stack.api("POST", "/api/user-data-templates", template)).status).toBe(409);
  const path = `/api/user-data-templates/${added.body.id}`;
  expect(await stack.api("PATCH", path, { description: "nginx" })).toMatchObject({
    status: 200,
    body: { ...template, description: "nginx" },
  });
  expect((await stack.api("DELETE", path)).status).toBe(204);
  expect((await stack.api("PATCH", path, { name: "x" })).status).toBe(404);
});
