import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { CumulusError, messageOf } from "../domain/errors";
import { imageSchema } from "../domain/image";
import { operationSchema } from "../domain/operation";
import { formatBytes } from "../domain/units";
import { readSettings, type Settings } from "../env";
import { callAsAdministrator } from "./consoleClient";
import { Progress } from "./progress";
import { type DiskTemplate, findDiskTemplates } from "./templates/find";
import { sendTemplate } from "./templates/send";

/** What takes long is told about this often. */
const tellEveryMs = 5_000;
const pollMs = 200;

const imagesSchema = z.object({ items: z.array(imageSchema.pick({ name: true })) });
const stateSchema = operationSchema.pick({ status: true, message: true, error: true });

/** `npm run import-templates -- DIR`: adds the disk templates of a folder as images, but those whose name an image has already. */
async function importTemplates(): Promise<boolean> {
  const settings = readSettings();
  const { templates, others } = await findDiskTemplates(folderOf(process.argv.slice(2)));
  const progress = new Progress((line) => console.log(line));
  for (const { name, reason } of others) progress.warn(name, `left out: it ${reason}`);
  const { items } = imagesSchema.parse(await callAsAdministrator(settings, "GET", "/api/images"));
  const known = new Set(items.map(({ name }) => name));
  let isWhole = true;
  for (const template of templates) {
    if (known.has(template.name)) {
      progress.warn(template.name, "is there already");
      continue;
    }
    try {
      await progress.step(template.name, () => importTemplate(settings, template));
    } catch (error) {
      progress.warn(template.name, `could not be imported: ${messageOf(error)}`);
      isWhole = false;
    }
  }
  return isWhole;
}

/** @throws `bad_request` that says how it is meant */
function folderOf(args: string[]): string {
  try {
    const [folder, ...more] = parseArgs({ args, allowPositionals: true, options: {} }).positionals;
    // npm runs programs in the project's folder, and says where it was called.
    if (folder !== undefined && more.length === 0) return resolve(process.env.INIT_CWD ?? "", folder);
  } catch {
    // An option: there are none.
  }
  throw new CumulusError("bad_request", "Give one folder: npm run import-templates -- DIR");
}

async function importTemplate(settings: Settings, template: DiskTemplate): Promise<void> {
  const tell = occasionally((text: string) => console.log(`  ..  ${template.name}: ${text}`));
  const whole = formatBytes(template.sizeBytes);
  const id = await sendTemplate(settings, template, (bytes) => tell(`${formatBytes(bytes)} of ${whole} sent`));
  for (;;) {
    const state = stateSchema.parse(await callAsAdministrator(settings, "GET", `/api/operations/${id}`));
    if (state.status === "done") return;
    const isOpen = state.status === "pending" || state.status === "running";
    if (!isOpen) throw new CumulusError("unavailable", state.error ?? `The import was ${state.status}.`);
    tell(state.message ?? "being checked");
    await delay(pollMs);
  }
}

/** The function, called at most once in a while: the first time after that while. */
function occasionally(tell: (text: string) => void): (text: string) => void {
  let toldAtMs = Date.now();
  return (text) => {
    if (Date.now() - toldAtMs < tellEveryMs) return;
    toldAtMs = Date.now();
    tell(text);
  };
}

importTemplates().then(
  (isWhole) => {
    process.exitCode = isWhole ? 0 : 1;
  },
  (error: unknown) => {
    console.error(messageOf(error));
    process.exitCode = 1;
  },
);
