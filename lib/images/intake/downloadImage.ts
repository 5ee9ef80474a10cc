import { basename } from "node:path";
import { type CatalogueEntry, mirroredUrl } from "../../domain/catalogue";
import { CumulusError } from "../../domain/errors";
import type { ImageManifest } from "../../domain/image";
import type { ImageDownload, ImportedImage } from "../../domain/imageImport";
import type { TaskReport } from "../../domain/task";
import { TaskSuspended } from "../../domain/taskSuspended";
import { pathsOf, type Settings } from "../../env";
import { failpoint } from "../../failpoints";
import { findCatalogueEntry } from "../catalogue/read";
import { type Checksum, checksumText, fetchPublishedChecksum, parseChecksum } from "../fetch/checksums";
import { download } from "../fetch/download";
import { allowedHostsOf, parseImageUrl } from "../fetch/hostRules";
import { defaultFetchRules, type FetchRules } from "../fetch/request";
import { retrying } from "../fetch/retry";
import { makeStagingFolder, removeStagingFolder, type StagingFolder, stagingFolder } from "../staging/folder";
import { defaultImageLimits, type ImageLimits } from "../staging/limits";
import { fullDiskError } from "../staging/room";
import { StagedFile } from "../staging/stagedFile";
import { TransferMeter } from "../staging/transferMeter";
import { listImages, prepareImageStore } from "../store";
import { type IntakeDescription, takeIn } from "./takeIn";

export interface ImageTaskContext {
  operationId: number;
  settings: Settings;
  report: TaskReport;
  signal: AbortSignal;
  /** By which `findImageOf` finds the image. */
  task?: string;
  limits?: ImageLimits;
}

export interface DownloadOptions extends ImageTaskContext {
  /** Deadlines and name resolution, for tests. */
  rules?: Partial<Omit<FetchRules, "allowedHosts">>;
  pauseFactor?: number;
}

/** What there is to fetch, whoever named it. */
interface Wanted {
  url: URL;
  description: IntakeDescription;
  checksum(rules: FetchRules, signal: AbortSignal): Promise<Checksum | null>;
}

/**
 * Fetches an image and puts it into the store: downloads (going on where a cut or a restart left it), compares it with the checksum that its
 * maker publishes, unpacks, checks, converts. The image is there whole afterwards, or not at all. May be called again with the same operation
 * after a crash. When it rejects nothing is left, but for `TaskSuspended`: then what has come stays, to go on with.
 *
 * @throws `bad_request` when the address or the file is refused; `not_found` for an unknown entry of the catalogue; `unavailable` when the
 * server can't be reached or what it sends doesn't have its checksum; `too_large`; `insufficient_capacity`
 */
export async function downloadImage(request: ImageDownload, options: DownloadOptions): Promise<ImageManifest> {
  const { operationId, settings, report, signal, task, limits = defaultImageLimits } = options;
  const paths = pathsOf(settings);
  const folder = stagingFolder(paths, operationId);
  try {
    const wanted = await wantedOf(request, settings);
    const rules: FetchRules = { ...defaultFetchRules, ...options.rules, allowedHosts: allowedHostsOf(settings) };
    await prepareImageStore(paths);
    await makeStagingFolder(folder);
    report.progress(0, `asks ${wanted.url.host}`);
    const checksum = await retrying(() => wanted.checksum(rules, signal), options);
    const description = described(wanted.description, checksum);
    const present = await presentImage(settings, description);
    if (present) {
      report.log(`The newest build, ${checksum && checksumText(checksum)}, is here already.`);
    } else {
      await fetchVerified(wanted.url, checksum, folder, rules, options);
      failpoint("agent.download.received");
    }
    const image = present ?? (await takeIn(folder, description, { paths, limits, report, signal, task }));
    report.progress(100, `${image.title} is here`);
    await removeStagingFolder(folder);
    return image;
  } catch (error) {
    if (!isSuspended(signal)) await removeStagingFolder(folder);
    throw fullDiskError(error);
  }
}

/** Whether the work goes on at the agent's next start, with what it has so far. */
export function isSuspended(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof TaskSuspended;
}

/** Downloads until the file has its checksum. One that was put together from parts is fetched a second time, whole, before it is given up. */
async function fetchVerified(
  url: URL,
  checksum: Checksum | null,
  folder: StagingFolder,
  rules: FetchRules,
  { report, signal, limits = defaultImageLimits, pauseFactor }: DownloadOptions,
): Promise<void> {
  if (checksum === null)
    report.log("No checksum was given: what comes can't be compared with what its maker published.");
  const meter = new TransferMeter(report, `downloads ${basename(url.pathname) || url.host}`, [1, 80]);
  const file = await StagedFile.open(folder.received, checksum?.algorithm ?? null, limits);
  try {
    for (let isLast = false; ; ) {
      const { isPieced } = await download(url, file, folder.downloadState, {
        ...{ rules, meter, report, signal, pauseFactor },
      });
      if (checksum === null || file.digest() === checksum.hex) return;
      if (!isPieced || isLast) throw mismatch(url, checksum, file.digest());
      report.log("The parts don't make the file that was published: fetches it anew.");
      await file.restart();
      isLast = true;
    }
  } finally {
    await file.close();
  }
}

async function wantedOf(request: ImageDownload, settings: Settings): Promise<Wanted> {
  const { imageMirror } = settings;
  if (request.from === "catalogue") {
    const entry = await findCatalogueEntry(request.catalogueId, pathsOf(settings));
    return {
      url: parseImageUrl(mirroredUrl(entry.url, imageMirror)),
      description: entryDescription(entry),
      checksum: (rules, signal) => {
        const list = parseImageUrl(mirroredUrl(entry.checksum.url, imageMirror));
        return fetchPublishedChecksum(entry.url, list, entry.checksum, rules, signal);
      },
    };
  }
  const url = parseImageUrl(request.url);
  return {
    url,
    description: { ...importedDescription(request.image), source: { type: "url", url: url.href } },
    checksum: async () => (request.checksum === null ? null : parseChecksum(request.checksum)),
  };
}

function entryDescription(entry: CatalogueEntry): IntakeDescription {
  const { id, name, title, description, arch, firmwares, loginUser, os, endOfLife, aliases, url } = entry;
  const { minMemoryBytes, minDiskBytes } = entry;
  return {
    ...{ kind: "disk", name, title, description, arch, firmware: firmwares[0] ?? "uefi", firmwares },
    ...{ minMemoryBytes, minDiskBytes, loginUser, os, endOfLife, aliases, recipeHash: null },
    source: { type: "catalogue", catalogueId: id, url, checksum: "" },
  };
}

/** What somebody says of an image that they bring, as the store keeps it. */
export function importedDescription({ firmwares, ...image }: ImportedImage): IntakeDescription {
  return { ...image, firmware: firmwares[0] ?? "uefi", firmwares, recipeHash: null };
}

/** An image of the catalogue is told from its later builds by the checksum of the file that was fetched. */
function described(description: IntakeDescription, checksum: Checksum | null): IntakeDescription {
  if (description.source?.type !== "catalogue" || checksum === null) return description;
  return { ...description, source: { ...description.source, checksum: checksumText(checksum) } };
}

async function presentImage(settings: Settings, { source }: IntakeDescription): Promise<ImageManifest | undefined> {
  if (source?.type !== "catalogue") return undefined;
  const images = await listImages(pathsOf(settings), () => {});
  return images.find(
    (image) =>
      image.source.type === "catalogue" &&
      image.source.catalogueId === source.catalogueId &&
      image.source.checksum === source.checksum,
  );
}

function mismatch(url: URL, { algorithm, hex }: Checksum, actual: string | null): CumulusError {
  return new CumulusError(
    "unavailable",
    `The file from ${url.host} isn't the one that was published: its ${algorithm} is ${actual}, and should be ${hex}. It was changed on its way, or a new build is being published right now: try again later.`,
  );
}
