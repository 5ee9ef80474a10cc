import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { CumulusError, messageOf } from "../../domain/errors";
import type { TaskState } from "../../domain/task";
import { TaskSuspended } from "../../domain/taskSuspended";
import { pathsOf, type Settings } from "../../env";
import { failpoint } from "../../failpoints";
import type { Hypervisor } from "../../hypervisor/hypervisor";
import { sweepStagingFolders } from "../../images/staging/folder";
import { sweepImageStore } from "../../images/store";
import type { Log } from "../../system/log";
import { UploadDesk } from "../uploads";
import type { AnyTaskKind } from "./kind";
import { type Outcome, outcomeOfError, Task } from "./task";
import { readTaskFiles, removeTaskFile, removeTaskFiles, type TaskFile, taskLogFile, writeTaskFile } from "./taskFiles";
import { readTaskLog, TaskLog } from "./taskLog";
import { Turns, tellWait } from "./turns";

/** Ended tasks that are remembered, with their logs. */
const rememberedTasks = 200;
/** The longest that one request waits for news. */
const maxWaitMs = 20_000;

export interface TaskRunnerOptions {
  settings: Settings;
  hypervisor: Hypervisor;
  log: Log;
  kinds: Record<string, AnyTaskKind>;
  /** With other deadlines, for tests. */
  uploads?: UploadDesk;
}

/**
 * Long work of this host, each piece under the id of the operation that asked for it. Asked twice, done once, also across restarts: a task is
 * written down before it begins, and what runs when the agent ends is run again when it is back.
 */
export class TaskRunner {
  /** Files that requests bring, on their way to the tasks that take them. */
  readonly uploads: UploadDesk;
  private readonly tasks = new Map<number, Task>();
  private readonly running = new Set<Promise<void>>();
  private readonly heavyWork = new Turns(Math.max(1, Math.floor(availableParallelism() / 2)));
  private readonly oneByOne = new Map<string, Turns>();
  private isClosing = false;

  constructor(private readonly options: TaskRunnerOptions) {
    this.uploads = options.uploads ?? new UploadDesk();
  }

  /** Of the installation that it works in. */
  get settings(): Settings {
    return this.options.settings;
  }

  /** Takes up what an agent before this one left. Call once, after the hypervisor has recovered. */
  async recover(): Promise<void> {
    const { settings, log } = this.options;
    const files = await readTaskFiles(settings, (file) => log.warn({ file }, "a task can't be read: left out"));
    await this.sweepImages();
    const begun = files.filter(({ status }) => status === "running");
    await sweepStagingFolders(pathsOf(settings), (id) => begun.some((file) => file.id === id));
    for (const file of files) {
      const task = this.add(file);
      if (file.status === "running") this.run(task);
    }
    await this.forgetOldest();
  }

  /** @throws `bad_request` for a kind that is not known or parameters that don't fit; `conflict` when the id is another kind's */
  async put(id: number, kindName: string, params: unknown): Promise<TaskState> {
    const present = this.tasks.get(id);
    if (present) {
      if (present.file.kind === kindName) return present.state;
      throw new CumulusError("conflict", `Operation ${id} is a ${present.file.kind}, not a ${kindName}.`);
    }
    this.check(kindName, params);
    const name = randomUUID();
    const file = { id, kind: kindName, task: name, params, status: "running", result: null, error: null } as const;
    const task = this.add(file);
    try {
      await writeTaskFile(this.options.settings, file);
    } catch (error) {
      this.tasks.delete(id);
      throw error;
    }
    failpoint("agent.task.written");
    this.run(task);
    await this.forgetOldest();
    return task.state;
  }

  /** The state once it is newer than `version`, or as it is after `waitMs`. @throws `not_found` */
  get(id: number, version = 0, waitMs = 0): Promise<TaskState> {
    return this.task(id).newerThan(version, Math.min(waitMs, maxWaitMs));
  }

  /** Whether work of that id is under way, or will be. */
  isRunning(id: number): boolean {
    return this.tasks.get(id)?.state.status === "running";
  }

  readLog(id: number, offset: number): Promise<{ text: string; nextOffset: number }> {
    return readTaskLog(taskLogFile(this.options.settings, id), offset);
  }

  /** Asks a task to end; its state says when it has. One that ended is left as it is. */
  cancel(id: number): TaskState {
    const task = this.task(id);
    task.abort.abort();
    return task.state;
  }

  /** Ends all work, which goes on when the agent is back. */
  async close(): Promise<void> {
    this.isClosing = true;
    for (const task of this.tasks.values()) task.abort.abort(new TaskSuspended());
    await Promise.all(this.running);
  }

  /** Of an image that was being installed or removed, what was half done. An image file that a disk builds on stays. */
  private async sweepImages(): Promise<void> {
    const { settings, hypervisor, log } = this.options;
    for (const sha256 of await sweepImageStore(pathsOf(settings))) {
      try {
        // No name of it is left.
        await hypervisor.removeImage({ sha256, name: "" });
        log.info({ sha256 }, "swept what a crash left of an image");
      } catch (error) {
        log.warn({ sha256, reason: messageOf(error) }, "an image has lost its manifest, and is left");
      }
    }
  }

  private add(file: TaskFile): Task {
    const task = new Task(file, new TaskLog(taskLogFile(this.options.settings, file.id)));
    this.tasks.set(file.id, task);
    return task;
  }

  private task(id: number): Task {
    const task = this.tasks.get(id);
    if (task) return task;
    throw new CumulusError("not_found", `This host knows no task ${id}.`);
  }

  private check(kindName: string, params: unknown) {
    const { kinds } = this.options;
    const kind = Object.hasOwn(kinds, kindName) ? kinds[kindName] : undefined;
    if (!kind) {
      throw new CumulusError(
        "bad_request",
        `This agent can't do "${kindName}". Do console and agent run the same version?`,
      );
    }
    const parsed = kind.params.safeParse(params);
    if (parsed.success) return { kind, params: parsed.data };
    throw new CumulusError("bad_request", `What "${kindName}" was given is not usable: ${parsed.error.message}`);
  }

  private run(task: Task): void {
    const running = this.perform(task).finally(() => this.running.delete(running));
    this.running.add(running);
  }

  private async perform(task: Task): Promise<void> {
    const { settings, hypervisor, log } = this.options;
    const { id, kind: kindName, params, task: name } = task.file;
    const { signal } = task.abort;
    let outcome: Outcome;
    try {
      const checked = this.check(kindName, params);
      const { report } = task;
      const call = { operationId: id, task: name, settings, hypervisor, report, uploads: this.uploads, signal };
      const work = () => checked.kind.run(checked.params, call);
      const turns = this.turnsOf(checked.kind, checked.params);
      const result = await (turns ? turns.run(signal, tellWait(report), work) : work());
      failpoint("agent.task.worked");
      outcome = { status: "done", result: result ?? null, error: null };
    } catch (error) {
      if (this.isClosing) return;
      outcome = outcomeOfError(error, signal.aborted, log);
    }
    if (outcome.error) task.report.log(`failed: ${outcome.error.message}`);
    await this.writeEnd(task.file, outcome);
    task.end(outcome);
  }

  private turnsOf({ turns }: AnyTaskKind, params: unknown): Turns | null {
    if (turns === undefined) return null;
    if (turns === "heavy") return this.heavyWork;
    const key = turns(params);
    const present = this.oneByOne.get(key) ?? new Turns(1);
    this.oneByOne.set(key, present);
    return present;
  }

  /**
   * An end that can't be written, for the disk is full say, leaves no task behind that would be run again unasked at the agent's next start. Whoever has not
   * learnt of the end by then asks for the task again.
   */
  private async writeEnd(file: TaskFile, outcome: Outcome): Promise<void> {
    const { settings, log } = this.options;
    try {
      // Parameters are no longer needed, and may hold secrets.
      await writeTaskFile(settings, { ...file, params: null, ...outcome });
      failpoint("agent.task.end-written");
    } catch (error) {
      log.error(
        { err: error, task: file.id },
        "how a task ended can't be written down: it is forgotten with the agent",
      );
      await removeTaskFile(settings, file.id).catch((err: unknown) => {
        log.error({ err, task: file.id }, "a task that ended can't be removed: it will be run again");
      });
    }
  }

  private async forgetOldest(): Promise<void> {
    const ended = [...this.tasks.values()].filter(({ state }) => state.status !== "running");
    for (const { state } of ended.slice(0, Math.max(0, ended.length - rememberedTasks))) {
      this.tasks.delete(state.id);
      await removeTaskFiles(this.options.settings, state.id);
    }
  }
}
