import type { IncomingMessage } from "node:http";
import * as z from "zod";
import { CumulusError } from "../../domain/errors";
import { KIB } from "../../domain/units";
import { failpoint } from "../../failpoints";
import { isErrno, readTextIfThere, writeFileAtomic } from "../../system/files";
import { hostBootId } from "../../system/platform";
import type { StagedFile } from "../staging/stagedFile";
import type { TransferMeter } from "../staging/transferMeter";
import { assertStatus, type FetchRules, openUrl } from "./request";
import { type RetryContext, retrying } from "./retry";

/** Less than this is no progress: a server that sends a byte at a time must not hold us for ever. */
const progressBytes = 64 * KIB;

/** Errors of this host's own file system, which no other attempt mends; those of a connection have other codes. */
const localCodes = ["ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "EACCES", "ENOENT", "EMFILE"];

/** What is known of the file that is being fetched; kept beside its part, so that a later process goes on. */
const stateSchema = z.object({
  url: z.string(),
  /** An HTTP date or strong entity tag by which the server knows whether the file is still the same; null where it gave none. */
  validator: z.string().nullable(),
  totalBytes: z.number().int().nonnegative().nullable(),
  /** The computer's boot in which it was begun: what was written then, but not yet on disk, a power cut takes away. */
  bootId: z.string(),
});
type State = z.infer<typeof stateSchema>;
type Begun = Omit<State, "bootId">;

export interface DownloadContext extends RetryContext {
  rules: FetchRules;
  meter: TransferMeter;
}

/**
 * Fetches an address into a file, whatever happens on the way: a connection that is cut is taken up where it was if the server can
 * (Range, with If-Range unless a hash will tell), else from the beginning. A part that another process left is taken up too, but not one from before the computer was
 * last started, unless a hash will tell whether all of it is there.
 *
 * @param stateFile where to keep what is known of the file
 * @returns whether it was put together from more than one answer
 * @throws what `openUrl` and `StagedFile.append` throw; `unavailable` when attempt after attempt brings nothing
 */
export async function download(
  url: URL,
  file: StagedFile,
  stateFile: string,
  context: DownloadContext,
): Promise<{ isPieced: boolean }> {
  const bootId = await hostBootId();
  let state = await readState(stateFile, url);
  if (state?.bootId !== bootId && !file.isHashed) state = null;
  if (state === null && file.bytes > 0) await file.restart();
  let isPieced = file.bytes > 0;
  let before = 0;
  const fetchRest = async () => {
    before = file.bytes;
    if (isComplete(state, file)) return;
    isPieced ||= file.bytes > 0;
    await attempt(url, file, state, context, async (begun) => {
      state = { ...begun, bootId };
      await writeFileAtomic(stateFile, JSON.stringify(state));
      failpoint("agent.download.begun");
    });
  };
  await retrying(fetchRest, context, {
    hasProgressed: () => file.bytes - before >= progressBytes,
    hasBegun: () => file.bytes >= progressBytes,
  });
  return { isPieced };
}

/** One request and its answer's body. Rejects with `unavailable` when it ends too early. */
async function attempt(
  url: URL,
  file: StagedFile,
  state: State | null,
  { rules, meter, signal }: DownloadContext,
  begin: (begun: Begun) => Promise<void>,
): Promise<void> {
  const range = rangeOf(state, file);
  if (range === null && file.bytes > 0) await file.restart();
  const { url: reached, response } = await openUrl(url, { headers: range ?? {} }, rules, signal);
  try {
    assertStatus(reached, response, range === null ? [200] : [200, 206, 416], state !== null);
    const encoding = response.headers["content-encoding"] ?? "identity";
    if (encoding !== "identity")
      throw new CumulusError("bad_request", `${reached.host} sends the file as "${encoding}", which nobody asked for.`);
    let totalBytes = state?.totalBytes ?? null;
    if (response.statusCode === 200) {
      if (file.bytes > 0) await file.restart();
      totalBytes = lengthOf(response);
      await begin({ url: url.href, validator: validatorOf(response), totalBytes });
      if (totalBytes !== null) await file.assertRoomFor(totalBytes);
    } else if (!continues(response, state, file)) {
      await file.restart();
      throw new CumulusError("unavailable", `${reached.host} doesn't go on where it was asked to.`);
    }
    for await (const chunk of response) {
      if (totalBytes !== null && file.bytes + chunk.length > totalBytes) {
        await file.restart();
        throw new CumulusError("unavailable", `${reached.host} sends more than the file has.`);
      }
      await file.append(chunk);
      meter.tell(file.bytes, totalBytes);
    }
    if (totalBytes !== null && file.bytes < totalBytes) throw cut(reached);
  } catch (error) {
    throw error instanceof CumulusError || isErrno(error, ...localCodes) ? error : cut(reached, error);
  } finally {
    response.destroy();
  }
}

/**
 * The headers that ask for the rest of a file; null when its beginning is of no use. A redirector leads each request to another mirror, and
 * each mirror has its own validator for the same bytes: where a hash will tell, only the size has to be the same.
 */
function rangeOf(state: State | null, file: StagedFile): Record<string, string> | null {
  if (state === null || file.bytes === 0) return null;
  const range = `bytes=${file.bytes}-`;
  if (isToldByHash(state, file)) return { range };
  return state.validator === null ? null : { range, "if-range": state.validator };
}

function isToldByHash(state: State, file: StagedFile): boolean {
  return file.isHashed && state.totalBytes !== null;
}

/** Whether a partial answer is the rest of the file whose beginning is here. */
function continues(response: IncomingMessage, state: State | null, file: StagedFile): boolean {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers["content-range"] ?? "");
  if (response.statusCode !== 206 || !match || state === null) return false;
  const [, first, , total] = match;
  if (Number(first) !== file.bytes) return false;
  if (isToldByHash(state, file)) return Number(total) === state.totalBytes;
  const isSameSize = total === "*" || state.totalBytes === null || Number(total) === state.totalBytes;
  const isSameFile = validatorOf(response) === null || validatorOf(response) === state.validator;
  return isSameSize && isSameFile;
}

/** RFC 9110, 13.1.5: If-Range takes a strong entity tag, or a date. */
function validatorOf({ headers }: IncomingMessage): string | null {
  if (headers.etag && !headers.etag.startsWith("W/")) return headers.etag;
  return headers["last-modified"] ?? null;
}

function lengthOf({ headers }: IncomingMessage): number | null {
  const text = headers["content-length"];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function isComplete(state: State | null, file: StagedFile): boolean {
  return state !== null && state.totalBytes !== null && state.totalBytes > 0 && file.bytes === state.totalBytes;
}

function cut(url: URL, cause?: unknown): CumulusError {
  return new CumulusError("unavailable", `The connection to ${url.host} was cut.`, { cause });
}

async function readState(stateFile: string, url: URL): Promise<State | null> {
  const text = await readTextIfThere(stateFile);
  if (text === null) return null;
  try {
    const state = stateSchema.parse(JSON.parse(text));
    return state.url === url.href ? state : null;
  } catch {
    return null;
  }
}
