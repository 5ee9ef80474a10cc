import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Recipe, RecipeStep } from "../../domain/recipe";
import { firstBootScript, localeScript } from "./guestScripts";

/** Where cloud-init looks for scripts that each new instance runs once (cloud-init, "Scripts Per Instance"). */
const firstBootFolder = "/var/lib/cloud/scripts/per-instance";

/** A file that virt-customize copies into the disk, or runs there. */
export interface PreparedFile {
  name: string;
  content: string | Buffer;
}

export interface Customization {
  /** Lines of a file for `virt-customize --commands-from-file`: nothing of a recipe's is on a command line. */
  commands: string[];
  files: PreparedFile[];
}

/**
 * What virt-customize is to do for a recipe. Pure.
 * @param folder where the prepared files will lie
 */
export function customizationOf(recipe: Recipe, folder: string): Customization {
  const files: PreparedFile[] = [];
  const prepare = (content: PreparedFile["content"]) => {
    const name = `step-${files.length + 1}`;
    files.push({ name, content });
    return join(folder, name);
  };
  if (recipe.place === "first-boot") {
    const target = `${firstBootFolder}/50-${recipe.name}`;
    const commands = [
      `mkdir ${firstBootFolder}`,
      `upload ${prepare(firstBootScript(recipe.steps))}:${target}`,
      `chmod 0700:${target}`,
    ];
    return { commands, files };
  }
  return { commands: recipe.steps.flatMap((step) => commandsOf(step, prepare)), files };
}

function commandsOf(step: RecipeStep, prepare: (content: PreparedFile["content"]) => string): string[] {
  switch (step.type) {
    case "file": {
      const folder = step.path.slice(0, step.path.lastIndexOf("/"));
      return [
        ...(folder === "" ? [] : [`mkdir ${folder}`]),
        `upload ${prepare(Buffer.from(step.content, step.encoding))}:${step.path}`,
        `chmod ${step.permissions.padStart(4, "0")}:${step.path}`,
      ];
    }
    case "root-password":
      // An expression of Perl, in which "$" would be a variable.
      return [`edit /etc/shadow:s,^root:[^:]*:,root:${step.passwordHash?.replaceAll("$", "\\$")}:,`];
    case "timezone":
      // It sets /etc/localtime alone, which Debian's file with the name would contradict; without the file the link is what counts.
      return [`timezone ${step.timezone}`, "delete /etc/timezone"];
    case "packages":
      return [`install ${step.packages.join(",")}`];
    case "locale":
      return [`run ${prepare(localeScript(step))}`];
    case "script":
      return [`run ${prepare(step.script)}`];
    case "ssh-keys":
      return step.keys.map((key) => `ssh-inject root:file:${prepare(`${key}\n`)}`);
    case "console":
      throw new Error("Steps on the console are typed into a running machine.");
  }
}

/** Writes the files and the list of commands. @returns the list's path */
export async function writeCustomization({ commands, files }: Customization, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const { name, content } of files) await writeFile(join(folder, name), content, { mode: 0o600 });
  const list = join(folder, "commands");
  await writeFile(list, commands.map((command) => `${command}\n`).join(""), { mode: 0o600 });
  return list;
}
