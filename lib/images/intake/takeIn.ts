import { stat } from "node:fs/promises";
import type { ImageManifest } from "../../domain/image";
import type { TaskReport } from "../../domain/task";
import { formatBytes } from "../../domain/units";
import type { pathsOf } from "../../env";
import { failpoint } from "../../failpoints";
import { type Content, contentOf } from "../checks/content";
import { readIsoLabel } from "../checks/iso";
import { checkQcow2Structure } from "../checks/qcow2Structure";
import { checkWithQemu, convertRaw } from "../checks/qemuImg";
import { refusal } from "../checks/refusal";
import type { StagingFolder } from "../staging/folder";
import type { ImageLimits } from "../staging/limits";
import { assertSpace } from "../staging/space";
import { TransferMeter } from "../staging/transferMeter";
import { type ImageDescription, installImage } from "../store";
import { expand } from "./expand";

export interface IntakeContext {
  paths: ReturnType<typeof pathsOf>;
  limits: ImageLimits;
  report: TaskReport;
  signal: AbortSignal;
  /** By which `findImageOf` finds the image. */
  task?: string | undefined;
  /** The UEFI variables that came with the disk. */
  variables?: string | null;
}

/** What is said of the image; a title that nobody gave comes from the file. */
export type IntakeDescription = Omit<ImageDescription, "title"> & { title: string | null };

/**
 * Makes an image of the file that an operation has received: unpacks it, finds out what it is, checks it, converts it, and puts it into the
 * store. It is there whole afterwards, or not at all. May be called again after a crash anywhere in it.
 *
 * @throws `bad_request` with a sentence that says why the file is refused; `too_large`; `insufficient_capacity`
 */
export async function takeIn(
  folder: StagingFolder,
  description: IntakeDescription,
  context: IntakeContext,
): Promise<ImageManifest> {
  const { paths, report, task, variables = null } = context;
  const { file, content } = await unpacked(folder, context);
  const { kind = "disk" } = description;
  report.progress(90, "checks the image");
  if (content === "iso") {
    if (kind !== "iso") throw refusal("it is an ISO file: add it as one");
    const label = await readIsoLabel(file);
    const title = description.title ?? (isTelling(label) ? label : description.name);
    return installImage(paths, file, { ...description, title }, { task });
  }
  if (kind === "iso") throw refusal("it is a disk and no ISO file: add it as a disk");
  const qcow2 = content === "raw" ? await converted(file, folder, context) : file;
  const { virtualBytes } = await checkQcow2Structure(qcow2, context.limits.virtualBytes);
  await checkWithQemu(qcow2, virtualBytes, context.signal);
  report.progress(98, "puts the image into the store");
  return installImage(
    paths,
    qcow2,
    { ...description, title: description.title ?? description.name },
    { task, variables },
  );
}

/** Whether a label tells one ISO from another: programs that write them have words of their own where nobody gives one. */
function isTelling(label: string): boolean {
  return !/^((my)?(cd|dvd|cd-?rom|dvd-?rom|iso|iso ?image|image|disc|disk|volume|vol|data|new|untitled|no name)[ _-]*\d*)?$/i.test(
    label,
  );
}

/** The received file, out of its compression where it has one. */
async function unpacked(
  { received, expanded }: StagingFolder,
  { limits, report, signal }: IntakeContext,
): Promise<{ file: string; content: Exclude<Content, "gz" | "xz" | "zst"> }> {
  const content = await contentOf(received);
  if (content !== "gz" && content !== "xz" && content !== "zst") return { file: received, content };
  report.log(`The file is compressed (${content}).`);
  await expand(received, expanded, content, limits, {
    meter: new TransferMeter(report, "unpacks the image", [80, 90]),
    signal,
  });
  failpoint("agent.intake.expanded");
  const within = await contentOf(expanded);
  if (within === "gz" || within === "xz" || within === "zst")
    throw refusal("it is compressed more than once: unpack it once and add the result");
  return { file: expanded, content: within };
}

async function converted(
  raw: string,
  { converted, path }: StagingFolder,
  { limits, report, signal }: IntakeContext,
): Promise<string> {
  const { size, blocks } = await stat(raw);
  if (size > limits.virtualBytes) {
    throw refusal(
      `its disk of ${formatBytes(size)} is larger than ${formatBytes(limits.virtualBytes)}, the most that is taken`,
    );
  }
  await assertSpace(path, Math.min(size, blocks * 512), limits.reserveBytes);
  report.log("The file is a raw disk: converts it to qcow2.");
  report.progress(92, "converts the disk");
  await convertRaw(raw, converted, limits.allocatedBytes, signal);
  failpoint("agent.intake.converted");
  return converted;
}
