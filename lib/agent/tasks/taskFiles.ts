import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { taskStateSchema } from "../../domain/task";
import { pathsOf, type Settings } from "../../env";
import { isErrno, readTextIfThere, syncFolder, temporaryPattern, writeFileAtomic } from "../../system/files";

/** What is kept of a task (0600: parameters may hold passwords): enough to run it again after a crash. */
const taskFileSchema = z.object({
  id: z.number().int().positive(),
  kind: z.string(),
  /** A name that no other task ever has; an id counts anew with a new database. */
  task: z.string().default(() => randomUUID()),
  params: z.unknown(),
  status: taskStateSchema.shape.status,
  result: z.unknown(),
  error: taskStateSchema.shape.error,
});
export type TaskFile = z.infer<typeof taskFileSchema>;

type Folders = Pick<Settings, "dataDir" | "runDir">;

export function taskLogFile(settings: Folders, id: number): string {
  return join(pathsOf(settings).tasks, `${id}.log`);
}

function taskFile(settings: Folders, id: number): string {
  return join(pathsOf(settings).tasks, `${id}.json`);
}

export async function writeTaskFile(settings: Folders, task: TaskFile): Promise<void> {
  await mkdir(pathsOf(settings).tasks, { recursive: true, mode: 0o700 });
  await writeFileAtomic(taskFile(settings, task.id), `${JSON.stringify(task)}\n`);
}

/** All tasks that were kept, the oldest first; what a crash left half written goes. A file that can't be read is told to `onBroken` and left out. */
export async function readTaskFiles(settings: Folders, onBroken: (file: string) => void): Promise<TaskFile[]> {
  const names = await readdir(pathsOf(settings).tasks).catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return [] as string[];
    throw error;
  });
  for (const name of names.filter((name) => temporaryPattern.test(name))) {
    await rm(join(pathsOf(settings).tasks, name), { force: true });
  }
  const ids = names.flatMap((name) => (/^[1-9]\d{0,9}\.json$/.test(name) ? [Number.parseInt(name, 10)] : []));
  const tasks: TaskFile[] = [];
  for (const id of ids.sort((a, b) => a - b)) {
    const task = parseTask(await readTextIfThere(taskFile(settings, id)));
    if (task?.id === id) tasks.push(task);
    else onBroken(taskFile(settings, id));
  }
  return tasks;
}

/** Forgets that a task is to be done, which needs no room on the disk. Its log stays. */
export async function removeTaskFile(settings: Folders, id: number): Promise<void> {
  await rm(taskFile(settings, id), { force: true });
  await syncFolder(pathsOf(settings).tasks);
}

export async function removeTaskFiles(settings: Folders, id: number): Promise<void> {
  await rm(taskFile(settings, id), { force: true });
  await rm(taskLogFile(settings, id), { force: true });
}

function parseTask(text: string | null): TaskFile | undefined {
  try {
    return taskFileSchema.safeParse(JSON.parse(text ?? "")).data;
  } catch {
    return undefined;
  }
}
