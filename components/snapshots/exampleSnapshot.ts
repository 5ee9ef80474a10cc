import { snapshotSchema } from "../../lib/domain/snapshot";
import { MIB } from "../../lib/domain/units";

/** A snapshot for tests. */
export function exampleSnapshot(id: number, rest: Partial<ReturnType<typeof snapshotSchema.parse>> = {}) {
  return snapshotSchema.parse({
    id,
    name: `snapshot-${id}`,
    note: "",
    vm: { id: 1, name: "web", deleted: false },
    status: "available",
    origin: "user",
    hasMemory: false,
    hasGuestAgent: null,
    consistency: "crash",
    pauseMs: 2,
    diskBytes: 8 * MIB,
    foldedBytes: 0,
    memoryBytes: 0,
    virtualBytes: 256 * MIB,
    parentId: null,
    isCurrent: false,
    vmCount: 0,
    vms: [],
    operationId: null,
    createdAt: "2026-01-01T00:00:00.000Z",
    ...rest,
  });
}
