import * as z from "zod";
import type { Arch } from "./arch";
import { fileContentShape, refuseBadContent } from "./fileContent";
import { guestPasswordSchema, localeSchema, packageNameSchema, timezoneSchema } from "./firstBoot";
import { lineSchema, textSchema } from "./humanText";
import type { ImageManifest } from "./image";
import { sshPublicKeySchema } from "./sshKey";

const maxTextLength = 256 * 1024;

/** As crypt(5) writes it: `$6$salt$hash`. */
export const passwordHashSchema = z
  .string()
  .regex(/^\$(5|6|y)\$[./A-Za-z0-9$=]{1,200}$/, 'Give a hash of crypt(5) that starts with "$6$", "$5$" or "$y$".');

const fileStep = z
  .strictObject({
    type: z.literal("file"),
    /** Its folders are made where they are missing. */
    path: z
      .string()
      .regex(/^(\/[A-Za-z0-9@%+=._-]+)+$/, "Give an absolute path of letters, digits and @ % + = . _ - only.")
      .regex(/^(?!.*\/\.{1,2}(\/|$))/, 'Give the path itself, without the parts "." and "..".'),
    ...fileContentShape,
    permissions: z
      .string()
      .regex(/^0?[0-7]{3,4}$/, 'Give octal permissions, such as "0644".')
      .default("0644"),
  })
  .superRefine(refuseBadContent);

/** `password` is what people give; what is kept is its hash. */
const rootPasswordStep = z
  .strictObject({
    type: z.literal("root-password"),
    password: guestPasswordSchema.optional(),
    passwordHash: passwordHashSchema.optional(),
  })
  .refine(({ password, passwordHash }) => (password === undefined) !== (passwordHash === undefined), {
    path: ["password"],
    message: "Give either password or passwordHash.",
  });

const timezoneStep = z.strictObject({ type: z.literal("timezone"), timezone: timezoneSchema });
const localeStep = z.strictObject({ type: z.literal("locale"), locale: localeSchema });
const packagesStep = z.strictObject({
  type: z.literal("packages"),
  packages: z.array(packageNameSchema).min(1).max(200),
});

/** Run as root, by the interpreter that its first line names. */
const scriptStep = z.strictObject({
  type: z.literal("script"),
  script: z.string().max(maxTextLength).startsWith("#!", 'A script starts with "#!" and its interpreter.'),
});

/** Keys by which root logs in. */
const sshKeysStep = z.strictObject({
  type: z.literal("ssh-keys"),
  keys: z.array(sshPublicKeySchema).min(1).max(64),
});

/** One exchange on the serial console: wait for a text, then type a line. */
const consoleStep = z.strictObject({
  type: z.literal("console"),
  /** As it comes, not a pattern. */
  expect: z.string().min(1).max(1000),
  /** Typed with Enter after it; without it, the step only waits. */
  send: z.string().max(maxTextLength).optional(),
  timeoutSeconds: z.number().int().min(1).max(3600).default(300),
});

export const recipeStepSchema = z.discriminatedUnion("type", [
  fileStep,
  rootPasswordStep,
  timezoneStep,
  localeStep,
  packagesStep,
  scriptStep,
  sshKeysStep,
  consoleStep,
]);
export type RecipeStep = z.infer<typeof recipeStepSchema>;
export type RecipeStepOf<Type extends RecipeStep["type"]> = Extract<RecipeStep, { type: Type }>;

/**
 * Where a recipe's steps are done:
 * `disk`: at once, in the new image's disk, without starting it
 * `first-boot`: by each VM of the new image, when it first starts (cloud-init)
 * `console`: at once, by starting the disk without a network and typing on its serial console, as a person would
 */
export const recipePlaceSchema = z.enum(["disk", "first-boot", "console"]).meta({ id: "RecipePlace" });
export type RecipePlace = z.infer<typeof recipePlaceSchema>;

/** What each kind of step can be done by. One that needs the guest's own programs, or packages from elsewhere, says so. */
export const stepPlaces: Record<RecipeStep["type"], readonly RecipePlace[]> = {
  file: ["disk", "first-boot"],
  "root-password": ["disk", "first-boot"],
  timezone: ["disk", "first-boot"],
  locale: ["disk", "first-boot"],
  packages: ["disk", "first-boot"],
  script: ["disk", "first-boot"],
  "ssh-keys": ["disk", "first-boot"],
  console: ["console"],
};

const programSteps: readonly RecipeStep["type"][] = ["packages", "script", "locale"];

/** How to make an image from another one. It is kept with the image, so that it can be run again on a newer base. */
export const recipeSchema = z
  .strictObject({
    /** The new image's name, unless it is given another one. */
    name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "Use a–z, 0–9, dot, dash or underscore."),
    title: lineSchema(120, "Give a title."),
    description: textSchema(500).default(""),
    /** The name of the image that it is meant for. */
    base: z.string().min(1).max(64).optional(),
    place: recipePlaceSchema.default("disk"),
    steps: z.array(recipeStepSchema).min(1).max(200),
  })
  .superRefine(({ place, steps }, context) => {
    for (const [index, { type }] of steps.entries()) {
      if (stepPlaces[type].includes(place)) continue;
      const message = `A step "${type}" is done in place ${stepPlaces[type].join(" or ")}, and this recipe's is ${place}.`;
      context.addIssue({ code: "custom", path: ["steps", index, "type"], message });
    }
    if (JSON.stringify(steps).length > 4 * maxTextLength) {
      context.addIssue({
        code: "custom",
        path: ["steps"],
        message: "The steps take more than 1 MiB of JSON together.",
      });
    }
  })
  .meta({ id: "Recipe" });
export type Recipe = z.infer<typeof recipeSchema>;

/** Whether programs of the image itself are run as the image is made, which the host's processor must understand. */
function runsPrograms({ place, steps }: Recipe): boolean {
  return place === "disk" && steps.some(({ type }) => programSteps.includes(type));
}

/** Why a host can't make an image for an architecture by a recipe; null when it can. */
export function whyNotByHost(recipe: Recipe, imageArch: Arch, hostArch: Arch | undefined): string | null {
  if (imageArch === hostArch || !runsPrograms(recipe)) return null;
  return `This recipe runs programs of the image, which is for ${imageArch}, and this host can't: give it the place first-boot.`;
}

/** "Password:" in English, or "Passwort:", perhaps without the first letter, whose case varies; a passphrase, or a PIN. */
const secretPrompt = /ass(wor[dt]|phrase)|\bpin\b/i;

/** What a step types where a password is asked for: no log and no page shows it. Null for other steps. Pure. */
export function passwordTypedBy(step: RecipeStep): string | null {
  if (step.type !== "console" || !secretPrompt.test(step.expect)) return null;
  return step.send || null;
}

/** The recipe as it is kept: what it sets as root's password can't be read. What it types on a console is kept as it is, passwords too. */
export function withHashedPasswords(recipe: Recipe, hash: (password: string) => string): Recipe {
  const steps = recipe.steps.map((step) =>
    step.type === "root-password" && step.password !== undefined
      ? { type: step.type, passwordHash: hash(step.password) }
      : step,
  );
  return { ...recipe, steps };
}

/** What a recipe makes of an image's description: all that a VM must know stays as it was. */
export function describeDerived(
  base: ImageManifest,
  recipe: Recipe,
  names: { name?: string | undefined; title?: string | undefined; description?: string | undefined },
) {
  const { arch, firmware, firmwares, minMemoryBytes, virtualBytes, loginUser, os, endOfLife } = base;
  return {
    name: names.name ?? recipe.name,
    title: names.title ?? recipe.title,
    description: names.description ?? recipe.description,
    ...{ arch, firmware, firmwares, minMemoryBytes, minDiskBytes: virtualBytes, loginUser, os, endOfLife },
    recipeHash: null,
    source: { type: "recipe" as const, baseSha256: base.sha256, baseName: base.name, recipe: recipe.name },
  };
}
