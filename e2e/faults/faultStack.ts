import { existsSync, rmSync } from "node:fs";
import { chmod, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { audit } from "../../lib/doctor/audit";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import type { Failpoint } from "../../lib/failpoints";
import { type ApiAnswer, type Stack, startStack, until } from "../stack";

export type Part = "console" | "agent" | "postgres";

/** A stack whose parts can be made to die at a named place, and what tests ask of it. */
export interface FaultStack extends Stack {
  /** Makes a part die the next time that one of them comes to this place. */
  arm(name: Failpoint, victim: Part): Promise<void>;
  /** Resolves when the place was reached and the part is dead. */
  died(victim: Part): Promise<void>;
  /** Starts whatever doesn't run, and resolves when all parts answer. */
  revive(): Promise<void>;
  /** As `api`; undefined when the answer was lost with the console. */
  tryApi<T = unknown>(...request: Parameters<Stack["api"]>): Promise<ApiAnswer<T> | undefined>;
  createVm(name: string): Promise<Vm>;
  /** Resolves when the act is acknowledged. */
  power(id: number, action: "start" | "stop"): Promise<void>;
  /** Resolves with the VM when it has these values and nothing that was asked of it is open. */
  settles(id: number, wanted: Partial<Vm>, deadlineMs?: number): Promise<Vm>;
  isGone(id: number, deadlineMs?: number): Promise<void>;
  qemuPid(id: number): Promise<number | null>;
  /** Fails with the doctor's words when anything doesn't agree. */
  agrees(): Promise<void>;
}

export async function startFaultStack(options: Parameters<typeof startStack>[0] = {}): Promise<FaultStack> {
  const folder = await mkdtemp(join(tmpdir(), "cumulus-failpoint-"));
  // The console, which is another user, removes the file when it has come to the place.
  await chmod(folder, 0o777);
  // Also for a test process that ends early.
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const armedFile = join(folder, "armed");
  const stack = await startStack({ ...options, env: { ...options.env, CUMULUS_FAILPOINT_FILE: armedFile } });

  const tryApi = async <T>(...request: Parameters<Stack["api"]>): Promise<ApiAnswer<T> | undefined> => {
    try {
      return await stack.api<T>(...request);
    } catch (error) {
      // What fetch() rejects with when there is no answer.
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  };

  return {
    ...stack,
    // A getter of the stack's own, which spreading would freeze.
    get token() {
      return stack.token;
    },
    tryApi,
    arm: async (name, victim) => {
      const pid = await stack.pidOf(victim);
      expect(pid, `the ${victim} runs before it is to die`).toBeDefined();
      // Under its name it is armed, and a part that comes to the place removes it: by then all is done to it.
      const next = `${armedFile}.new`;
      await writeFile(next, `${name} ${pid}`);
      await chmod(next, 0o666);
      await rename(next, armedFile);
    },
    died: (victim) =>
      until(
        `the ${victim} came to the failpoint and died`,
        async () => !existsSync(armedFile) && (await stack.pidOf(victim)) === undefined,
        90_000,
      ),
    revive: async () => {
      await rm(armedFile, { force: true });
      await stack.startPostgres();
      if ((await stack.pidOf("agent")) === undefined) await stack.startAgent();
      if ((await stack.pidOf("console")) === undefined) await stack.startConsole();
      await until("the console answers", async () => (await tryApi("GET", "/api/health"))?.status === 200);
    },
    createVm: async (name) => {
      const { status, body } = await stack.api<Vm>("POST", "/api/vms", { name, image: "mini", size: "nano" });
      expect(status, JSON.stringify(body)).toBe(201);
      return body;
    },
    power: async (id, action) => {
      // For a moment after a part came back the answer is 503 with Retry-After.
      await expect.poll(async () => (await tryApi("POST", `/api/vms/${id}/${action}`, {}))?.status).toBe(202);
    },
    settles: async (id, wanted, deadlineMs = 90_000) => {
      let seen: Vm | undefined;
      let open: Operation[] = [];
      const isSo = async () => {
        seen = (await tryApi<Vm>("GET", `/api/vms/${id}`))?.body;
        const operations = await tryApi<{ items: Operation[] }>("GET", `/api/operations?vm=${id}`);
        open = operations?.body.items.filter(({ status }) => status === "pending" || status === "running") ?? [];
        const isWanted = Object.entries(wanted).every(([key, value]) => seen?.[key as keyof Vm] === value);
        return isWanted && operations?.status === 200 && open.length === 0;
      };
      await until(`VM ${id} is ${JSON.stringify(wanted)}`, isSo, deadlineMs).catch((error: Error) => {
        const { status, statusReason, desired, observed } = seen ?? {};
        const kinds = open.map(({ kind, status, message }) => `${kind} ${status}: ${message}`);
        throw new Error(
          `${error.message} It is ${JSON.stringify({ status, statusReason, desired, observed, kinds })}.`,
        );
      });
      return seen as Vm;
    },
    isGone: (id, deadlineMs = 90_000) =>
      until(`VM ${id} is gone`, async () => (await tryApi("GET", `/api/vms/${id}`))?.status === 404, deadlineMs),
    qemuPid: async (id) => (await stack.agent.observe(id)).pid,
    agrees: async () => {
      const { disagreements } = await audit(stack.settings);
      expect(disagreements.map(({ message }) => message)).toEqual([]);
    },
    stop: async () => {
      await stack.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
