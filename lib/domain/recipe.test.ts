import { expect, test } from "vitest";
import { imageManifestSchema } from "./image";
import { describeDerived, passwordTypedBy, recipeSchema, recipeStepSchema } from "./recipe";
import { GIB } from "./units";

const typed = (expect: string, send?: string) =>
  passwordTypedBy(recipeStepSchema.parse({ type: "console", expect, send }));

test.for([
  "Password: ",
  "assword:",
  "password for root:",
  "Passwort:",
  "asswort:",
  "Enter passphrase",
  "PIN",
  "Your pin:",
])("what is typed after %j is a secret", (prompt) => {
  expect(typed(prompt, "s3cret")).toBe("s3cret");
});

test.for(["login:", "# ", "ping statistics", "spinning up", "Passing by"])(
  "what is typed after %j is none",
  (prompt) => {
    expect(typed(prompt, "root")).toBeNull();
  },
);

test("a step that types nothing has no secret", () => {
  expect(typed("Password: ")).toBeNull();
  expect(typed("Password: ", "")).toBeNull();
});

test("an image that a recipe has made of another one needs no smaller disk than that", () => {
  const base = imageManifestSchema.parse({
    ...{ sha256: "a".repeat(64), name: "base", title: "Base", description: "", arch: "x86_64", firmware: "uefi" },
    ...{ fileBytes: 1, virtualBytes: 10 * GIB, minMemoryBytes: GIB, loginUser: "me", recipeHash: null },
    createdAt: "2026-01-01T00:00:00Z",
  });
  const recipe = recipeSchema.parse({
    name: "changed",
    title: "Changed",
    steps: [{ type: "timezone", timezone: "UTC" }],
  });
  expect(describeDerived(base, recipe, {}).minDiskBytes).toBe(10 * GIB);
});
