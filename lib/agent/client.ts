import type { Readable } from "node:stream";
import { z } from "zod";
import { type RepositoryAccess, type StoredBackup, storedBackupSchema } from "../domain/backup";
import { type Catalogue, readCatalogueSchema } from "../domain/catalogue";
import { CumulusError } from "../domain/errors";
import { hostReportSchema } from "../domain/host";
import { networkStatusSchema, reachabilityCheckSchema } from "../domain/hostNetwork";
import { imageManifestSchema, type PresentRecipe, presentRecipeSchema } from "../domain/image";
import { type Observation, observationSchema } from "../domain/machine";
import { type Recipe, recipeSchema } from "../domain/recipe";
import { snapshotFolderSchema } from "../domain/snapshotFile";
import { snapshotCostSchema, snapshotManifestSchema } from "../domain/snapshotManifest";
import { type TaskState, taskStateSchema } from "../domain/task";
import { trafficReadingSchema } from "../domain/vmNetworking";
import type { Hypervisor } from "../hypervisor/hypervisor";
import type { ByteStream } from "../system/byteStream";
import { parseJson } from "../system/json";
import { type FileDownload, openFile, sendFile } from "./fileTransfer";
import { openStream } from "./openStream";
import { portCheckSchema, publishedChecksumSchema } from "./protocol";
import { type AgentCall, callAgent } from "./request";
import { type WatchOptions, type WatchState, watchAgent } from "./watchClient";

/**
 * The hypervisor of a host, asked through its agent: the same methods with the same answers and errors. In addition any call may reject with
 * `unavailable` when the agent doesn't answer in time; whether it did the work is then unknown, and asking again is safe. `typeText` rejects with
 * the signal's reason when it is aborted. What takes long (snapshots, exports) is asked for as a task.
 */
export interface AgentClient
  extends Omit<
    Hypervisor,
    | ("watch" | "recover" | "close" | "takeSnapshot" | "assertRestorable" | "restoreSnapshot" | "exportDisk")
    | ("holdsEndedGuest" | "openVnc" | "openSerial" | "vncSocket")
  > {
  /** Observations, and whether the agent is there, until the returned function is called: see `watchAgent`. */
  watch(
    onObservation: (observation: Observation) => void,
    onState: (state: WatchState, reason?: CumulusError) => void,
  ): () => void;

  /** The screen's RFB bytes. */
  openVnc(id: number): Promise<ByteStream>;
  /** The serial console: first the log kept so far, then live bytes. */
  openSerial(id: number): Promise<ByteStream>;

  /** Opens a repository, which is made where there is none. */
  makeRepository(access: RepositoryAccess): Promise<void>;
  /**
   * The copies in a repository that was made before. `unavailable` when it is not there any more.
   * @param options `isNew`: it is to become a place for copies, which none below the data folder can
   */
  listBackups(access: RepositoryAccess, options?: { isNew: boolean }): Promise<StoredBackup[]>;

  /** By which recipes the host would build images now. */
  listPresentRecipes(): Promise<PresentRecipe[]>;
  /** Images that the host can be asked to download. */
  readCatalogue(): Promise<Catalogue>;
  /** `bad_request` with `fields.url` where an address would be refused, whatever lies there. */
  checkImageAddress(url: string): Promise<void>;
  /**
   * The checksum that the maker of a catalogue's entry publishes for it now. `not_found` for no such entry, `unavailable` when the maker didn't tell in time,
   * `bad_request` where the rules of downloads forbid to ask.
   */
  publishedChecksum(catalogueId: string): Promise<string>;
  /** Recipes that come with Cumulus. */
  listExampleRecipes(): Promise<Recipe[]>;
  /** Brings a file to the task of that operation. Done when the task has taken all of it. @param contentLength null when it isn't known */
  upload(operationId: number, body: Readable, contentLength: number | null): Promise<void>;
  /** An image's file. @param range a `Range` header, or null for all of it */
  openImage(sha256: string, range: string | null): Promise<FileDownload>;

  /** Begins a task, or finds it as it is when it was begun before. */
  putTask(id: number, kind: string, params: unknown): Promise<TaskState>;
  /** A task's state once it is newer than `after`, or as it is when `waitMs` is over. */
  getTask(id: number, after: number, waitMs: number): Promise<TaskState>;
  /** What a task said from a byte of its log on. */
  readTaskLog(id: number, offset: number): Promise<TaskLogPart>;
  /** The file that an export wrote. @param range a `Range` header, or null for all of it */
  openTaskFile(id: number, range: string | null): Promise<FileDownload>;
  /** Asks a task to end; its state says when it has. */
  cancelTask(id: number): Promise<TaskState>;
}

const taskLogPartSchema = z.object({ text: z.string(), nextOffset: z.number().int() });
export type TaskLogPart = z.infer<typeof taskLogPartSchema>;

export interface AgentClientOptions extends Partial<WatchOptions> {
  socketPath: string;
  /** Deadline of calls that answer at once. */
  timeoutMs?: number;
  /** Deadline of calls that make a disk, start or end a process. */
  slowTimeoutMs?: number;
}

/** Deadline of a look that others wait for, who do without it. */
const lookTimeoutMs = 5_000;

/** What the first look into a disk may take. */
const openDiskTimeoutMs = 300_000;

/** Where restic is missing it is installed first. */
const repositoryTimeoutMs = 240_000;

/** What typing may take for each character on top of the deadline. */
const typingMsPerCharacter = 250;

export function createAgentClient(options: AgentClientOptions): AgentClient {
  const { socketPath, timeoutMs = 15_000, slowTimeoutMs = 60_000 } = options;
  const { silenceMs = 12_000, retryMs = { first: 100, last: 2_000 } } = options;

  const call = (method: AgentCall["method"], path: string, rest: Partial<AgentCall> = {}) =>
    callAgent(socketPath, { method, path, timeoutMs, ...rest });
  const ask = async <T>(schema: z.ZodType<T>, ...[method, path, rest]: Parameters<typeof call>): Promise<T> => {
    const { body } = await call(method, path, rest);
    const parsed = schema.safeParse(parseJson(body.toString("utf8")));
    if (parsed.success) return parsed.data;
    throw new CumulusError(
      "internal",
      `The agent answered ${method} ${path} in a way that this console doesn't know: do both run the same version? Restart them.`,
      { cause: parsed.error },
    );
  };
  const act = (id: number, name: string, rest?: Partial<AgentCall>) =>
    ask(observationSchema, "POST", `/machines/${id}/${name}`, rest);
  const slow = { timeoutMs: slowTimeoutMs };

  return {
    host: () => ask(hostReportSchema, "GET", "/host"),
    listImages: () => ask(z.array(imageManifestSchema), "GET", "/images"),
    removeImage: async ({ sha256, name }) =>
      void (await call("DELETE", `/images/${sha256}?name=${encodeURIComponent(name)}`)),

    ensure: (spec) => ask(observationSchema, "PUT", `/machines/${spec.id}`, { body: spec, ...slow }),
    start: (id) => act(id, "start", slow),
    stop: (id) => act(id, "stop", slow),
    shutdown: (id) => act(id, "shutdown"),
    reboot: (id, operationId, deadlineMs) => act(id, "reboot", { body: { operationId, deadlineMs } }),
    reset: (id, operationId) => act(id, "reset", { body: { operationId } }),
    pause: (id) => act(id, "pause"),
    resume: (id) => act(id, "resume"),
    remove: async (id) => void (await call("DELETE", `/machines/${id}`, slow)),

    applyNetworks: async (state) => void (await call("PUT", "/networks", { body: state, ...slow })),
    networkStatus: () =>
      ask(networkStatusSchema, "GET", "/networks", { timeoutMs: Math.min(timeoutMs, lookTimeoutMs) }),
    whyPortTaken: async (protocol, port) =>
      (await ask(portCheckSchema, "POST", "/port-check", { body: { protocol, port } })).whyTaken,
    traffic: (id) => ask(trafficReadingSchema, "GET", `/machines/${id}/traffic`),
    diagnose: (id, interfaceId, port) =>
      ask(z.array(reachabilityCheckSchema), "POST", `/machines/${id}/diagnose`, {
        body: { interfaceId, port },
        ...slow,
      }),

    observe: (id) => ask(observationSchema, "GET", `/machines/${id}`),
    observeAll: () => ask(z.array(observationSchema), "GET", "/machines"),
    watch: (onObservation, onState) => watchAgent(socketPath, onObservation, onState, { silenceMs, retryMs }),

    screenshot: async (id) => (await call("GET", `/machines/${id}/screenshot`)).body,
    lastScreenshot: async (id) => {
      const { status, body } = await call("GET", `/machines/${id}/screenshot?last=1`);
      return status === 204 ? null : body;
    },
    typeText: async (id, text, signal) => {
      const deadlineMs = timeoutMs + text.length * typingMsPerCharacter;
      await call("POST", `/machines/${id}/type`, { body: { text }, timeoutMs: deadlineMs, signal });
    },
    listSnapshots: () => ask(z.array(snapshotManifestSchema), "GET", "/snapshots"),
    removeSnapshot: async (snapshotId) => void (await call("DELETE", `/snapshots/${snapshotId}`, slow)),
    listSnapshotFiles: (id, path) =>
      ask(snapshotFolderSchema, "GET", `/snapshots/${id}/files?path=${encodeURIComponent(path)}`, {
        timeoutMs: openDiskTimeoutMs,
      }),
    readSnapshotFile: async (id, path) =>
      (await openFile(socketPath, `/snapshots/${id}/file?path=${encodeURIComponent(path)}`, null)).body,
    snapshotCost: (id) => ask(snapshotCostSchema, "GET", `/machines/${id}/snapshot-cost`),
    makeRepository: async (access) =>
      void (await call("POST", "/backup-repository/make", { body: access, timeoutMs: repositoryTimeoutMs })),
    listBackups: (access, { isNew } = { isNew: false }) =>
      ask(z.array(storedBackupSchema), "POST", `/backup-repository/list${isNew ? "?new=1" : ""}`, {
        body: access,
        ...slow,
      }),

    putTask: (id, kind, params) => ask(taskStateSchema, "PUT", `/tasks/${id}`, { body: { kind, params } }),
    getTask: (id, after, waitMs) =>
      ask(taskStateSchema, "GET", `/tasks/${id}?after=${after}&waitMs=${waitMs}`, { timeoutMs: timeoutMs + waitMs }),
    readTaskLog: (id, offset) => ask(taskLogPartSchema, "GET", `/tasks/${id}/log?offset=${offset}`),
    listExampleRecipes: () => ask(z.array(recipeSchema), "GET", "/example-recipes"),
    checkImageAddress: async (url) => void (await call("POST", "/image-address", { body: { url } })),
    listPresentRecipes: () => ask(z.array(presentRecipeSchema), "GET", "/present-recipes"),
    publishedChecksum: async (catalogueId) =>
      (await ask(publishedChecksumSchema, "POST", "/published-checksum", { body: { catalogueId } })).checksum,
    readCatalogue: () => ask(readCatalogueSchema, "GET", "/catalogue"),
    upload: (operationId, body, contentLength) => sendFile(socketPath, `/uploads/${operationId}`, body, contentLength),
    openImage: (sha256, range) => openFile(socketPath, `/images/${sha256}/file`, range),
    openTaskFile: (id, range) => openFile(socketPath, `/tasks/${id}/file`, range),
    cancelTask: (id) => ask(taskStateSchema, "POST", `/tasks/${id}/cancel`),
    openVnc: (id) => openStream(socketPath, `/machines/${id}/vnc`, timeoutMs),
    openSerial: (id) => openStream(socketPath, `/machines/${id}/serial`, timeoutMs),
  };
}
