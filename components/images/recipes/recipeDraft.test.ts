import { expect, test } from "vitest";
import { recipeSchema } from "../../../lib/domain/recipe";
import { draftOf, emptyRecipe, recipeProblems, recipeRequestOf, stepTypesOf } from "./recipeDraft";

const recipe = recipeSchema.parse({
  name: "greeting",
  title: "A greeting",
  base: "debian-12",
  steps: [
    { type: "file", path: "/etc/motd", content: "Hello.\n" },
    { type: "root-password", passwordHash: "$6$salt$hash" },
    { type: "file", path: "/srv/logo", content: "AP8=", encoding: "base64" },
    { type: "packages", packages: ["htop", "git"] },
  ],
});

test("a recipe that is opened and saved again is the same", () => {
  expect(recipeSchema.parse(recipeRequestOf(draftOf(recipe)))).toEqual(recipe);
  const typed = recipeSchema.parse({
    name: "typed",
    title: "Typed",
    place: "console",
    steps: [{ type: "console", expect: "login:", send: "root", timeoutSeconds: 20 }],
  });
  expect(recipeSchema.parse(recipeRequestOf(draftOf(typed)))).toEqual(typed);
});

test("a new password replaces the one that is kept", () => {
  const draft = draftOf(recipe);
  const [, password] = draft.steps;
  if (password) password.values.password = "open-sesame";
  expect(recipeRequestOf(draft).steps[1]).toEqual({ type: "root-password", password: "open-sesame" });
});

test("problems are told by field", () => {
  expect(recipeProblems(draftOf(recipe))).toEqual({});
  expect(Object.keys(recipeProblems(emptyRecipe))).toEqual(expect.arrayContaining(["name", "title", "steps.0.path"]));
});

test("only steps that a place can do are offered", () => {
  expect(stepTypesOf("console")).toEqual(["console"]);
  expect(stepTypesOf("disk")).not.toContain("console");
});
