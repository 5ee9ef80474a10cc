import { rename } from "node:fs/promises";
import type { Readable } from "node:stream";
import { CumulusError } from "../../domain/errors";
import type { ImageManifest } from "../../domain/image";
import type { ImageUpload } from "../../domain/imageImport";
import { formatBytes } from "../../domain/units";
import { pathsOf } from "../../env";
import { failpoint } from "../../failpoints";
import { isErrno, isThere, syncFolder } from "../../system/files";
import { checksumText, parseChecksum } from "../fetch/checksums";
import { makeStagingFolder, removeStagingFolder, type StagingFolder, stagingFolder } from "../staging/folder";
import { defaultImageLimits } from "../staging/limits";
import { fullDiskError } from "../staging/room";
import { StagedFile } from "../staging/stagedFile";
import { TransferMeter } from "../staging/transferMeter";
import { prepareImageStore } from "../store";
import { type ImageTaskContext, importedDescription, isSuspended } from "./downloadImage";
import { takeIn } from "./takeIn";

const stallTimeoutMs = 60_000;

/** A file on its way in. */
export interface SentFile {
  body: Readable;
  /** The request's Content-Length; null where it has none. */
  contentLength: number | null;
}

export interface UploadOptions extends ImageTaskContext {
  stallTimeoutMs?: number;
}

/**
 * Takes a file that somebody sends and makes an image of it, which is there whole afterwards, or not at all. May be called again with the same
 * operation after a crash: what was received whole by then is not asked for again. When it rejects nothing is left, but for `TaskSuspended`.
 *
 * @param meetSender finds who sends the file, and hands it to the function that it is given
 * @throws what `meetSender` throws; as `receiveUpload` and `takeIn`
 */
export async function uploadImage(
  upload: ImageUpload,
  options: UploadOptions,
  meetSender: (receive: (sent: SentFile) => Promise<void>) => Promise<void>,
): Promise<ImageManifest> {
  await receiveOnce(upload.checksum, options, meetSender);
  return installUpload(upload, options);
}

/**
 * Takes a file that somebody sends into the operation's staging folder, unless it lies there whole. When it rejects nothing is left.
 * @param checksum that it must have; null: any
 * @throws what `meetSender` throws; as `receiveUpload`
 */
export async function receiveOnce(
  checksum: string | null,
  options: UploadOptions,
  meetSender: (receive: (sent: SentFile) => Promise<void>) => Promise<void>,
): Promise<void> {
  const folder = stagingFolder(pathsOf(options.settings), options.operationId);
  if (await isThere(folder.received)) return;
  await removeStagingFolder(folder);
  await meetSender((sent) => receiveUpload(checksum, sent, options));
}

/** Works on what has come, and leaves nothing in the staging folder, but when the agent stops: the work then goes on at its next start. */
export async function finishing<T>(folder: StagingFolder, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    const made = await work();
    await removeStagingFolder(folder);
    return made;
  } catch (error) {
    if (!isSuspended(signal)) await removeStagingFolder(folder);
    throw fullDiskError(error);
  }
}

/**
 * Writes what is sent to the operation's staging folder as it comes, and compares it with the checksum if there is one. A sender that breaks
 * off, stops, or sends too much leaves nothing.
 *
 * @throws `too_large`; `insufficient_capacity`; `bad_request` when it ends early, stalls, or has another checksum
 */
async function receiveUpload(
  wanted: string | null,
  { body, contentLength }: SentFile,
  options: UploadOptions,
): Promise<void> {
  const { operationId, settings, report, signal, limits = defaultImageLimits } = options;
  const paths = pathsOf(settings);
  const folder = stagingFolder(paths, operationId);
  const checksum = wanted === null ? null : parseChecksum(wanted);
  try {
    await prepareImageStore(paths);
    await makeStagingFolder(folder);
    const file = await StagedFile.open(folder.receiving, checksum?.algorithm ?? null, limits);
    try {
      if (contentLength !== null) await file.assertRoomFor(contentLength);
      await receive(body, contentLength, file, options);
      if (checksum && file.digest() !== checksum.hex) {
        throw new CumulusError(
          "bad_request",
          `What was sent is not the file that was meant: its checksum is ${checksum.algorithm}:${file.digest()}, and should be ${checksumText(checksum)}. Send it again.`,
        );
      }
      await file.sync();
      report.log(`${formatBytes(file.bytes)} received.`);
    } finally {
      await file.close();
    }
    await rename(folder.receiving, folder.received);
    await syncFolder(folder.path);
    failpoint("agent.upload.received");
  } catch (error) {
    await removeStagingFolder(folder);
    signal.throwIfAborted();
    throw fullDiskError(error);
  }
}

async function installUpload(upload: ImageUpload, options: ImageTaskContext): Promise<ImageManifest> {
  const { operationId, settings, report, signal, task, limits = defaultImageLimits } = options;
  const paths = pathsOf(settings);
  const folder = stagingFolder(paths, operationId);
  const source = { type: "upload" as const, fileName: upload.fileName };
  const description = { ...importedDescription(upload.image), source };
  return finishing(folder, signal, async () => {
    const image = await takeIn(folder, description, { paths, limits, report, signal, task });
    report.progress(100, `${image.title} is here`);
    return image;
  });
}

async function receive(
  body: Readable,
  contentLength: number | null,
  file: StagedFile,
  options: UploadOptions,
): Promise<void> {
  const { report, signal } = options;
  const meter = new TransferMeter(report, "receives the file", [0, 80]);
  const limitMs = options.stallTimeoutMs ?? stallTimeoutMs;
  const stalled = new CumulusError(
    "bad_request",
    `The upload brought nothing for ${limitMs / 1000} s: send the file again.`,
  );
  const timer = setTimeout(() => body.destroy(stalled), limitMs);
  const abort = () => body.destroy();
  signal.addEventListener("abort", abort, { once: true });
  try {
    for await (const chunk of body) {
      timer.refresh();
      await file.append(chunk);
      failpoint("agent.upload.receiving");
      meter.tell(file.bytes, contentLength);
    }
  } catch (error) {
    const isBrokenOff = isErrno(error, "ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE", "EPIPE");
    throw isBrokenOff ? brokenOff(file.bytes, error) : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
  if (contentLength !== null && file.bytes !== contentLength) throw brokenOff(file.bytes);
}

function brokenOff(bytes: number, cause?: unknown): CumulusError {
  return new CumulusError("bad_request", `The upload broke off after ${formatBytes(bytes)}: send the file again.`, {
    cause,
  });
}
