import type { TrafficReading } from "../../domain/vmNetworking";
import { readTextIfThere } from "../../system/files";
import { tapName } from "./names";

/**
 * What a VM's taps have carried, as its QEMU's namespace tells it (proc(5), `/proc/PID/net/dev`): one file is read and no program run.
 * @param pid of its QEMU; null: it is off
 */
export async function readTraffic(
  vmId: number,
  interfaceIds: readonly string[],
  pid: number | null,
): Promise<TrafficReading> {
  const text = pid === null ? null : await readTextIfThere(`/proc/${pid}/net/dev`);
  return { at: new Date().toISOString(), interfaces: trafficOf(text ?? "", vmId, interfaceIds) };
}

/** Pure. */
export function trafficOf(netDev: string, vmId: number, interfaceIds: readonly string[]): TrafficReading["interfaces"] {
  const lines = new Map(
    netDev.split("\n").flatMap((line) => {
      const [name, counters] = line.split(":");
      return name === undefined || counters === undefined
        ? []
        : [[name.trim(), counters.trim().split(/\s+/).map(Number)]];
    }),
  );
  return interfaceIds.flatMap((id) => {
    const counters = lines.get(tapName({ vmId, interfaceId: id }));
    if (counters === undefined) return [];
    // What the tap takes in is what the VM sends.
    const [sentBytes = 0, sentPackets = 0, , , , , , , receivedBytes = 0, receivedPackets = 0] = counters;
    return [{ id, receivedBytes, receivedPackets, sentBytes, sentPackets }];
  });
}
