import { CumulusError } from "../../domain/errors";
import { type TrafficReading, type VmTraffic, withRates } from "../../domain/vmNetworking";
import type { Context } from "../context";

const readingMs = 1_000;

/**
 * Tells every second what a VM's interfaces carry, until the returned function is called. The host is asked for nothing but that, and by nobody else: when nobody
 * looks, nothing is read. What can't be read now is left out.
 */
export function watchTraffic(
  { agent, log }: Context,
  vmId: number,
  listener: (traffic: VmTraffic) => void,
): () => void {
  let before: TrafficReading | null = null;
  let hasEnded = false;
  let timer: NodeJS.Timeout | undefined;

  const read = async () => {
    try {
      const now = await agent.traffic(vmId);
      if (hasEnded) return;
      listener(withRates(before, now));
      before = now;
    } catch (error) {
      before = null;
      const isExpected = error instanceof CumulusError && ["unavailable", "not_found"].includes(error.code);
      if (!isExpected) log.warn({ vmId, err: error }, "could not read what a VM's interfaces carry");
    }
    if (!hasEnded) timer = setTimeout(read, readingMs);
  };
  void read();
  return () => {
    hasEnded = true;
    clearTimeout(timer);
  };
}
