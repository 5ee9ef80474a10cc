import { binaryWords } from "../../../lib/domain/fileContent";
import { passwordTypedBy, type Recipe, type RecipePlace, type RecipeStep } from "../../../lib/domain/recipe";

/** Where a recipe's steps are done, for people. */
export const placeWords: Record<RecipePlace, { label: string; hint: string }> = {
  disk: { label: "In the disk", hint: "At once, in the new image's disk, which is not started for it." },
  "first-boot": { label: "At first boot", hint: "By each VM of the new image, when it first starts." },
  console: {
    label: "On the console",
    hint: "At once: the disk is started without a network, and the lines are typed on its serial console.",
  },
};

export const stepWords: Record<RecipeStep["type"], string> = {
  file: "Put a file in",
  "root-password": "Set root's password",
  timezone: "Set the time zone",
  locale: "Set the locale",
  packages: "Install packages",
  script: "Run a script",
  "ssh-keys": "Let root in by SSH keys",
  console: "Wait for a text, then type",
};

/** What a step does, in one line. */
export function stepSummary(step: RecipeStep): string {
  switch (step.type) {
    case "file":
      return `File ${step.path}${step.encoding === "base64" ? ` (${binaryWords(step)})` : ""}`;
    case "root-password":
      return "Root's password";
    case "timezone":
      return `Time zone ${step.timezone}`;
    case "locale":
      return `Locale ${step.locale}`;
    case "packages":
      return `Packages ${step.packages.join(", ")}`;
    case "script":
      return `Script of ${step.script.split("\n").length} lines`;
    case "ssh-keys":
      return step.keys.length === 1 ? "An SSH key" : `${step.keys.length} SSH keys`;
    case "console":
      return `Waits for “${step.expect}”${passwordTypedBy(step) === null ? "" : ", then types a password"}`;
  }
}

/** What a step writes, runs or types; null for one of which the summary says all, for bytes that are no text, and for a password. */
export function stepText(step: RecipeStep): string | null {
  switch (step.type) {
    case "file":
      return step.encoding === "base64" ? null : step.content;
    case "script":
      return step.script;
    case "console":
      return passwordTypedBy(step) === null ? (step.send ?? null) : null;
    default:
      return null;
  }
}

/** "3 steps, in the disk". */
export function recipeSummary({ steps, place }: Pick<Recipe, "steps" | "place">): string {
  const count = steps.length === 1 ? "1 step" : `${steps.length} steps`;
  return `${count}, ${placeWords[place].label.toLowerCase()}`;
}
