import type { MachineSpec } from "../../lib/domain/machine";
import type { SnapshotManifest } from "../../lib/domain/snapshotManifest";
import type { Hypervisor } from "../../lib/hypervisor/hypervisor";
import { MiniGuests } from "../../lib/hypervisor/testing/miniGuests";
import { TestHost } from "../../lib/hypervisor/testing/testHost";

const report = { progress: () => {}, log: () => {} };
const { signal } = new AbortController();

/** Guests of the built-in image under a hypervisor alone, whose snapshots are measured. */
export class SnapshotHost {
  private lastId = 0;

  private constructor(
    readonly host: TestHost,
    readonly guests: MiniGuests,
    readonly hypervisor: Hypervisor,
  ) {}

  /** A host for one benchmark, gone when it ends, however it ends. */
  static async with<T>(run: (bench: SnapshotHost) => Promise<T>): Promise<T> {
    const host = await TestHost.make();
    try {
      const guests = await MiniGuests.make(host);
      try {
        return await run(new SnapshotHost(host, guests, await host.agent()));
      } finally {
        await guests.close();
      }
    } finally {
      await host.close();
    }
  }

  async start(id: number, memoryBytes: number): Promise<MachineSpec> {
    const spec = await this.guests.spec(id, { memoryBytes });
    await this.guests.start(this.hypervisor, spec);
    return spec;
  }

  /** @param freeze as by the button: file systems are frozen where the guest's agent does it */
  take(vmId: number, memory: boolean, freeze = true): Promise<SnapshotManifest> {
    this.lastId += 1;
    const ask = { snapshotId: this.lastId, operationId: this.lastId, memory, freeze };
    return this.hypervisor.takeSnapshot(vmId, ask, report, signal);
  }

  async restore(vmId: number, snapshotId: number): Promise<void> {
    this.lastId += 1;
    await this.hypervisor.restoreSnapshot(vmId, { snapshotId, operationId: this.lastId }, report, signal);
  }
}
