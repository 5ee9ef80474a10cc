import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { imageUploadSchema } from "../../domain/imageImport";
import { readSettings } from "../../env";
import { uploadImage } from "../intake/uploadImage";
import { badFiles } from "./badFiles";

/**
 * Uploads every bad file, in a process of its own that a test traces. Its arguments: a folder for the installation, a sound qcow2 file, and the
 * path of the canary. It writes what each was refused with to `refused.json` in that folder.
 */
const [folder = "", qcow2 = "", canary = ""] = process.argv.slice(2);
const silent = { progress() {}, log() {} };

async function main(): Promise<void> {
  const settings = readSettings({
    NODE_ENV: "test",
    CUMULUS_DATA_DIR: join(folder, "data"),
    CUMULUS_RUN_DIR: join(folder, "run"),
  });
  const material = { qcow2: await readFile(qcow2), canary };
  const refused: Record<string, string> = {};
  for (const [index, { name, make, kind }] of badFiles.entries()) {
    const content = make(material);
    const image = { name: "a", arch: "x86_64", firmwares: ["bios"], kind };
    const upload = imageUploadSchema.parse({ fileName: name, image });
    const options = { operationId: index + 1, settings, report: silent, signal: new AbortController().signal };
    try {
      const sent = { body: Readable.from([content]), contentLength: content.length };
      await uploadImage(upload, options, (receive) => receive(sent));
    } catch (error) {
      refused[name] = String(error);
    }
  }
  await writeFile(join(folder, "refused.json"), JSON.stringify(refused));
}

void main();
