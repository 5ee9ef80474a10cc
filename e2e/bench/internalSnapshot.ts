import { randomUUID } from "node:crypto";
import { machinePaths } from "../../lib/hypervisor/machinePaths";
import { QmpClient, type QmpEvent } from "../../lib/hypervisor/qmp/client";
import { until } from "../../lib/hypervisor/testing/until";
import type { SnapshotHost } from "./snapshotHost";
import { timedMs } from "./stats";

/** How long the guest stands still while it is made, and how long it takes to go on from it. */
export interface InternalSnapshot {
  pauseMs: number;
  loadMs: number;
}

/** QEMU's internal snapshot ("snapshot-save" and its kin, qapi/migration.json): made, gone back to, and deleted again. */
export async function internalSnapshot({ host }: SnapshotHost, id: number): Promise<InternalSnapshot> {
  const events: QmpEvent[] = [];
  const { rescue, qmp: first } = machinePaths(host.settings, id);
  const handlers = { onEvent: (event: QmpEvent) => void events.push(event), onClose: () => {} };
  // The agent has one of the two.
  const connect = (socket: string) => QmpClient.connect(socket, handlers, 2_000);
  const qmp = await connect(rescue).catch(() => connect(first));
  try {
    const nodes = JSON.stringify(await qmp.execute("query-block"));
    const node = /"node-name":\s*"(disk[^"]*)"/.exec(nodes)?.[1] ?? "";
    const tag = randomUUID();
    const job = async (command: string, options: object) => {
      const jobId = randomUUID();
      await qmp.execute(command, { "job-id": `j${jobId}`, tag, devices: [node], ...options }, 60_000);
      const isOver = ({ name, data }: QmpEvent) =>
        name === "JOB_STATUS_CHANGE" && data.id === `j${jobId}` && data.status === "concluded";
      await until(() => events.some(isOver), 120_000);
      const jobs = JSON.stringify(await qmp.execute("query-jobs"));
      if (jobs.includes('"error"')) throw new Error(`${command}: ${jobs}`);
      await qmp.execute("job-dismiss", { id: `j${jobId}` });
    };
    await job("snapshot-save", { vmstate: node });
    const at = (name: string) => events.find((event) => event.name === name)?.atMs ?? Number.NaN;
    const pauseMs = at("RESUME") - at("STOP");
    const loadMs = await timedMs(async () => {
      await job("snapshot-load", { vmstate: node });
      await qmp.execute("cont");
    });
    await job("snapshot-delete", {});
    return { pauseMs, loadMs };
  } finally {
    qmp.close();
  }
}
