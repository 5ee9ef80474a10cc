import { createReadStream, statSync, writeFileSync } from "node:fs";
import type { Settings } from "../../../env";
import type { Failpoint } from "../../../failpoints";
import { createQemuHypervisor } from "../../../hypervisor/qemuHypervisor";
import { until } from "../../../hypervisor/testing/until";
import { taskKinds } from "../kinds";
import { TaskRunner } from "../runner";

export interface CrashingTask {
  settings: Settings;
  id: number;
  kind: string;
  params: unknown;
  /** Where it ends; null for an agent that a test ends from outside. */
  failpoint: Failpoint | null;
  /** What a sender brings, if one does. */
  uploadFile: string | null;
}

/** An agent's tasks in a process of their own, which ends by SIGKILL where it is told to. Its one argument is JSON. */
async function main(): Promise<void> {
  const { settings, id, kind, params, failpoint, uploadFile }: CrashingTask = JSON.parse(process.argv[2] ?? "");
  const silent = () => {};
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const hypervisor = createQemuHypervisor({ settings, log });
  await hypervisor.recover();
  const tasks = new TaskRunner({ settings, hypervisor, log, kinds: taskKinds });
  await tasks.recover();
  if (failpoint) writeFileSync(process.env.CUMULUS_FAILPOINT_FILE ?? "", `${failpoint} ${process.pid}`);
  await tasks.put(id, kind, params);
  if (uploadFile !== null) {
    await tasks.uploads.bring(id, { body: createReadStream(uploadFile), contentLength: statSync(uploadFile).size });
  }
  await until(() => false, 180_000);
}

void main();
