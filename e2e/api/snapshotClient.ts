import { expect } from "vitest";
import type { Operation } from "../../lib/domain/operation";
import type { Snapshot } from "../../lib/domain/snapshot";
import type { Vm } from "../../lib/domain/vm";
import { type Stack, until } from "../stack";

export interface Problem {
  code: string;
  detail: string;
  fields?: Record<string, string>;
  allowed?: string[];
}

/** What tests of snapshots ask of a stack, most of it with the answer checked. */
export function snapshotClient(stack: Stack) {
  const vmOf = async (id: number) => (await stack.api<Vm>("GET", `/api/vms/${id}`)).body;
  const snapshotOf = async (id: number) => (await stack.api<Snapshot>("GET", `/api/snapshots/${id}`)).body;

  /** Waits for an operation's end. */
  async function ended(id: number, status: Operation["status"] = "done"): Promise<Operation> {
    let operation: Operation | undefined;
    await until(`operation ${id} ended`, async () => {
      operation = (await stack.api<Operation>("GET", `/api/operations/${id}`)).body;
      return operation.finishedAt !== null;
    });
    expect(operation).toMatchObject({ status });
    return operation as Operation;
  }

  /** Asks, and waits until it is done. */
  async function does(method: string, path: string, body: object = {}): Promise<Operation> {
    const asked = await stack.api<Operation>(method, path, body);
    expect(asked.status, JSON.stringify(asked.body)).toBe(202);
    return ended(asked.body.id);
  }

  return {
    vmOf,
    snapshotOf,
    ended,
    does,
    snapshotsOf: async (vmId: number) =>
      (await stack.api<{ items: Snapshot[] }>("GET", `/api/vms/${vmId}/snapshots`)).body.items,
    /** The id of the one that a VM's disk builds on now; null: what the VM was made from. */
    currentOf: async (vmId: number): Promise<number | null> => {
      const { body } = await stack.api<{ items: Snapshot[] }>("GET", `/api/vms/${vmId}/snapshots`);
      const current = body.items.filter(({ isCurrent }) => isCurrent);
      expect(current.length).toBeLessThanOrEqual(1);
      return current[0]?.id ?? null;
    },
    /** A VM that is ready. */
    create: async (name: string, rest: object = {}): Promise<Vm> => {
      const body = { name, image: "mini", size: "nano", ...rest };
      const answer = await stack.api<Vm>("POST", "/api/vms?wait=ready", body);
      expect(answer.status, JSON.stringify(answer.body)).toBe(201);
      return answer.body;
    },
    /** A snapshot that is there. */
    take: async (vmId: number, body: object = {}): Promise<Snapshot> => {
      const { result } = await does("POST", `/api/vms/${vmId}/snapshots`, body);
      return snapshotOf(result?.snapshotId as number);
    },
    /** Checks a refusal: its status, and what the problem says. */
    refuses: async (path: string, body: object | undefined, wanted: object, method = "POST"): Promise<void> => {
      const { status, body: problem } = await stack.api<Problem>(method, path, body);
      expect({ status, ...problem }).toMatchObject(wanted);
    },
  };
}
