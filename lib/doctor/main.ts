import { parseArgs } from "node:util";
import { isDatabaseAway } from "../db/errors";
import { messageOf } from "../domain/errors";
import { readSettings } from "../env";
import { isErrno } from "../system/files";
import { type Audit, audit } from "./audit";

const usage = "Usage: npm run doctor [-- --json]";

/**
 * Prints what doesn't agree, a sentence each. Exit status: 0 nothing, 1 something, 2 it could not look.
 */
async function main(): Promise<number> {
  try {
    const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
    const found = await audit(readSettings());
    process.stdout.write(values.json ? `${JSON.stringify(found)}\n` : inWords(found));
    return found.disagreements.length === 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${whyItCouldNotLook(error)}\n`);
    return 2;
  }
}

function inWords({ disagreements, counts }: Audit): string {
  const { vms, processes, disks, images, files, networks } = counts;
  const seen = [
    count(vms, "VM"),
    processes === null ? "processes not looked at on this system" : count(processes, "process", "processes"),
    count(disks, "disk"),
    count(images, "image"),
    count(files, "file"),
    ...(networks === null ? [] : [count(networks, "network")]),
  ].join(", ");
  if (disagreements.length === 0) return `No disagreement: ${seen}.\n`;
  const lines = disagreements.map(({ message }) => `- ${message}\n`).join("");
  return `${count(disagreements.length, "disagreement")} in ${seen}:\n${lines}`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

function whyItCouldNotLook(error: unknown): string {
  if (isDatabaseAway(error)) {
    return "The doctor could not look, since the database doesn't answer: start Cumulus with npm run up, and see that CUMULUS_DATA_DIR or DATABASE_URL is the one that it uses.";
  }
  if (isErrno(error, "EACCES", "EPERM")) {
    return `The doctor may not look (${error.message}): run it as the user that runs Cumulus.`;
  }
  if (error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS")) {
    return `${error.message}\n${usage}`;
  }
  return `The doctor could not look: ${messageOf(error)}`;
}

process.exitCode = await main();
