import { expect, test } from "vitest";
import { recipeStepSchema } from "../../../lib/domain/recipe";
import { stepSummary, stepText } from "./recipeWords";

const typed = (expect: string, send?: string) => recipeStepSchema.parse({ type: "console", expect, send });

test("what is typed where a password is asked for is not shown", () => {
  for (const asked of ["Password: ", "passphrase for key:", "New password:"]) {
    const step = typed(asked, "s3cret");
    expect(stepText(step)).toBeNull();
    expect(stepSummary(step)).toBe(`Waits for “${asked}”, then types a password`);
  }
});

test("what else is typed on a console is shown", () => {
  expect(stepText(typed("login: ", "root"))).toBe("root");
  expect(stepSummary(typed("login: ", "root"))).toBe("Waits for “login: ”");
  expect(stepText(typed("Password: "))).toBeNull();
  expect(stepSummary(typed("Password: "))).toBe("Waits for “Password: ”");
});

test("a file of bytes that are no text is told by its size, and not shown", () => {
  const file = { type: "file", path: "/srv/logo", content: "AP8=" };
  const bytes = recipeStepSchema.parse({ ...file, encoding: "base64" });
  expect([stepSummary(bytes), stepText(bytes)]).toEqual(["File /srv/logo (binary, 2 B)", null]);
  const text = recipeStepSchema.parse(file);
  expect([stepSummary(text), stepText(text)]).toEqual(["File /srv/logo", "AP8="]);
});
