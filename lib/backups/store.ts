import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { type BackupCopy, type RepositoryAccess, type StoredBackup, storedBackupSchema } from "../domain/backup";
import { CumulusError } from "../domain/errors";
import type { TaskReport } from "../domain/task";
import { mostVmFileBytes, vmFiles } from "../domain/vmArchive";
import { readForeignDescription, type VmDescription } from "../domain/vmDescription";
import { failpoint } from "../failpoints";
import { isSuspended } from "../images/intake/downloadImage";
import { defaultImageLimits } from "../images/staging/limits";
import { assertSpace } from "../images/staging/space";
import { TransferMeter } from "../images/staging/transferMeter";
import { openRepository } from "./repository";
import { type ResticOptions, runRestic, streamRestic, whenUnlocked } from "./restic";

/**
 * Copies of VMs in a repository: each holds a disk, which needs no other file, a description, and UEFI variables if the VM has some. Tags say the
 * VM's name, so that a list needs nothing but the repository. What is in a repository may be of another installation, and is looked at as an archive is.
 */
const tag = "cumulus";
const nameTag = /^vm=(.+)$/;
const cleanUpMs = 60_000;
/** The longest that people wait for a list. */
const listMs = 30_000;

const statusSchema = z.object({
  message_type: z.literal("status"),
  bytes_done: z.number().default(0),
  total_bytes: z.number().default(0),
});
const summarySchema = z.object({
  message_type: z.literal("summary"),
  snapshot_id: z.string(),
  data_added: z.number(),
});
const fileSchema = z.object({ type: z.literal("file"), size: z.number().int().nonnegative() });
const listSchema = z.array(z.object({ id: z.string(), time: z.string(), tags: z.array(z.string()).nullish() }));

/**
 * Keeps a disk and what is said of its VM, then reads all of it back from the repository and compares it: a copy that can't be restored is none.
 * @param workDir a folder of the caller's in which `disk.qcow2` lies, and `uefi-variables.fd` if there are variables to keep
 * @param task what an earlier call with the same name has kept goes: the agent ended, or the repository was away, before it could be told of
 */
export async function keepCopy(
  access: RepositoryAccess,
  workDir: string,
  description: VmDescription,
  report: TaskReport,
  signal: AbortSignal,
  task: string = randomUUID(),
): Promise<BackupCopy> {
  await openRepository(access, { signal });
  await writeFile(join(workDir, vmFiles.description), `${JSON.stringify(description, null, 2)}\n`, { mode: 0o600 });
  const { size: diskBytes } = await stat(join(workDir, vmFiles.disk));
  const hasVariables = await isFile(join(workDir, vmFiles.variables));
  const kept = [vmFiles.description, ...(hasVariables ? [vmFiles.variables] : []), vmFiles.disk];
  let summary: z.infer<typeof summarySchema> | undefined;
  const tags = ["--tag", tag, "--tag", `vm=${description.name}`, "--tag", `task=${task}`];
  const args = ["backup", "--json", "--host", "cumulus", "--time", resticTime(description.takenAt), ...tags];
  const take = (line: string) => {
    const message: unknown = JSON.parse(line);
    const status = statusSchema.safeParse(message).data;
    summary = summarySchema.safeParse(message).data ?? summary;
    if (!status || status.total_bytes === 0) return;
    const { bytes_done: doneBytes, total_bytes: totalBytes } = status;
    report.progress(30 + (40 * doneBytes) / totalBytes, "Copying", { doneBytes, totalBytes, bytesPerSecond: null });
  };
  try {
    await whenUnlocked(access, { signal }, () => runRestic(access, [...args, ...kept], { cwd: workDir, signal }, take));
    if (!summary) throw new CumulusError("internal", "restic did not say what it kept. Is its version too old?");
    const { snapshot_id: start, data_added: addedBytes } = summary;
    failpoint("agent.backup.kept");
    const key = await fullKey(access, start, signal);
    const earlier = keysOf(await readList(access, ["--tag", `task=${task}`], { signal })).filter((one) => one !== key);
    await forget(access, earlier, { signal });
    for (const name of kept) await verifyFile(access, key, { workDir, name }, report, signal);
    failpoint("agent.backup.verified");
    return { key, diskBytes, addedBytes, verifiedAt: new Date().toISOString() };
  } catch (error) {
    // Best effort: a repository that doesn't answer now has failed the copy already. restic also keeps one of what it could read, and fails then.
    if (summary && !isSuspended(signal)) {
      const options = { signal: AbortSignal.timeout(cleanUpMs) };
      await forget(access, [summary.snapshot_id], options).catch(() => undefined);
    }
    throw error;
  }
}

/**
 * Takes a copy's disk and UEFI variables (null: it has none) out of the repository into `workDir`. What these hold is not looked at.
 * @returns with them what is said of its VM
 * @throws `bad_request` for a copy that describes no VM, or has no disk; `insufficient_capacity`
 */
export async function fetchCopy(
  access: RepositoryAccess,
  key: string,
  workDir: string,
  report: TaskReport,
  signal: AbortSignal,
): Promise<{ diskFile: string; variablesFile: string | null; description: VmDescription }> {
  await openRepository(access, { signal });
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const description = await readDescription(access, key, signal);
  const [diskFile, variablesFile] = [join(workDir, vmFiles.disk), join(workDir, vmFiles.variables)];
  await restoreFiles(access, key, workDir, report, signal);
  failpoint("agent.backup-restore.fetched");
  if (!(await isFile(diskFile))) throw copyRefusal(`it has no ${vmFiles.disk}`);
  return { diskFile, variablesFile: (await isFile(variablesFile)) ? variablesFile : null, description };
}

async function readDescription(access: RepositoryAccess, key: string, signal: AbortSignal): Promise<VmDescription> {
  let said = Buffer.alloc(0);
  await whenUnlocked(access, { signal }, () =>
    streamRestic(access, ["dump", key, `/${vmFiles.description}`], { signal }, async (output) => {
      said = Buffer.alloc(0);
      for await (const chunk of output) {
        said = Buffer.concat([said, chunk as Buffer]);
        if (said.length > mostVmFileBytes[vmFiles.description])
          throw copyRefusal(`${vmFiles.description} in it is too large`);
      }
    }),
  );
  const read = readForeignDescription(said.toString("utf8"));
  if ("description" in read) return read.description;
  throw copyRefusal(`${vmFiles.description} in it ${read.whyNot}`);
}

/** @param why completes the sentence */
function copyRefusal(why: string): CumulusError {
  return new CumulusError("bad_request", `This copy can't be restored: ${why}.`);
}

/** Copies that are in a repository, newest first. */
export async function listCopies(access: RepositoryAccess): Promise<StoredBackup[]> {
  await openRepository(access, { timeoutMs: listMs });
  return readList(access, ["--tag", tag], { timeoutMs: listMs });
}

const keysOf = (copies: StoredBackup[]) => copies.map(({ key }) => key);

/** @param which as restic's `snapshots` takes it: by tags, for which it reads all that are there, or one by the first digits of its id */
async function readList(access: RepositoryAccess, which: string[], options: ResticOptions): Promise<StoredBackup[]> {
  let text = "";
  await runRestic(access, ["snapshots", "--json", "--no-lock", ...which], options, (line) => {
    text += line;
  });
  const copies = listSchema.parse(JSON.parse(text || "[]")).flatMap(({ id, time, tags }) => {
    const vmName = tags?.map((one) => nameTag.exec(one)?.[1]).find(Boolean) ?? "";
    const parsed = storedBackupSchema.safeParse({ key: id, vmName, takenAt: new Date(time).toISOString() });
    return parsed.success ? [parsed.data] : [];
  });
  return copies.sort((a, b) => b.takenAt.localeCompare(a.takenAt));
}

/** Others wait for their turn meanwhile: what holds the repository for longer, a restore or another installation, is tried again later. */
const removalLockWaitMs = 15_000;

/** Removes copies and gives their space back; those that are not there are no error. */
export async function removeCopies(access: RepositoryAccess, keys: string[], signal: AbortSignal): Promise<void> {
  await openRepository(access, { signal });
  const present = new Set(keysOf(await readList(access, ["--tag", tag], { signal })));
  await forget(
    access,
    keys.filter((key) => present.has(key)),
    { signal, lockWaitMs: removalLockWaitMs },
  );
  failpoint("agent.backup-remove.removed");
}

/** @param keys or the first digits of them */
async function forget(access: RepositoryAccess, keys: string[], options: ResticOptions): Promise<void> {
  if (keys.length === 0) return;
  const { signal } = options;
  await whenUnlocked(access, options, () => runRestic(access, ["forget", "--prune", ...keys], { signal }));
}

async function restoreFiles(
  access: RepositoryAccess,
  key: string,
  workDir: string,
  report: TaskReport,
  signal: AbortSignal,
): Promise<void> {
  const names = [vmFiles.disk, vmFiles.variables];
  for (const name of names) await rm(join(workDir, name), { force: true });
  const totalBytes = await sizeOf(access, key, names, signal);
  // restic takes all of a file's room before it writes.
  await assertSpace(workDir, totalBytes, defaultImageLimits.reserveBytes, "the copy");
  const meter = new TransferMeter(report, "Reading the copy", [5, 90]);
  // By what it writes: the file has its whole size and room from the start, and is filled in any order.
  const onWritten = (bytes: number) => meter.tell(Math.min(bytes, totalBytes), totalBytes);
  const args = ["restore", key, "--target", workDir, ...names.flatMap((name) => ["--include", `/${name}`])];
  await whenUnlocked(access, { signal }, () => runRestic(access, args, { signal, onWritten }));
}

/** How large those of a copy's files are together that it has. */
async function sizeOf(access: RepositoryAccess, key: string, names: string[], signal: AbortSignal): Promise<number> {
  let bytes = 0;
  const paths = names.map((name) => `/${name}`);
  await runRestic(access, ["ls", "--json", "--no-lock", key, ...paths], { signal }, (line) => {
    bytes += fileSchema.safeParse(JSON.parse(line)).data?.size ?? 0;
  });
  return bytes;
}

/** Whether there is a plain file, and not a way to another one. */
async function isFile(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function verifyFile(
  access: RepositoryAccess,
  key: string,
  { workDir, name }: { workDir: string; name: string },
  report: TaskReport,
  signal: AbortSignal,
): Promise<void> {
  const file = join(workDir, name);
  const { size } = await stat(file);
  const meter = new TransferMeter(report, "Reading it back", [75, 95]);
  let kept = createHash("sha256");
  await whenUnlocked(access, { signal }, () => {
    kept = createHash("sha256");
    let doneBytes = 0;
    meter.tell(0, size);
    const count = async function* (output: AsyncIterable<Buffer>) {
      for await (const chunk of output) {
        doneBytes += chunk.length;
        meter.tell(doneBytes, size);
        yield chunk;
      }
    };
    return streamRestic(access, ["dump", key, `/${name}`], { signal }, (output) => pipeline(output, count, kept));
  });
  const given = createHash("sha256");
  await pipeline(createReadStream(file), given, { signal });
  if (kept.digest("hex") === given.digest("hex")) return;
  throw new CumulusError(
    "internal",
    "What the repository gave back was not what it was given: the copy is removed. Check its disk.",
  );
}

/** restic's summary says the first digits of the id; the list has all. */
async function fullKey(access: RepositoryAccess, start: string, signal: AbortSignal): Promise<string> {
  const [found] = await readList(access, [start], { signal });
  if (found) return found.key;
  throw new CumulusError("internal", "The copy is not in the repository's list.");
}

/** As `--time` takes it; restic runs with UTC as its time zone. */
function resticTime(moment: string): string {
  return moment.slice(0, 19).replace("T", " ");
}
