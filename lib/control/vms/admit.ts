import type { Queryable } from "../../db/client";
import { hosts } from "../../db/schema/hosts";
import type { Arch, Firmware } from "../../domain/arch";
import { CumulusError } from "../../domain/errors";
import { admitDisk, admitMemory, reportOf } from "./allocate";
import { admitGuest } from "./firmware";

/** What a VM asks of its host. */
export interface Demand {
  arch: Arch;
  firmware: Firmware;
  memoryBytes: number;
  diskBytes: number;
}

/**
 * The host that takes a VM, locked until the transaction's end, so that two requests can't both have the last of what it has.
 * @throws `unavailable` without a host that answers; `bad_request` for a guest that it can't run; `insufficient_capacity`
 */
export async function admitVm(tx: Queryable, { arch, firmware, memoryBytes, diskBytes }: Demand) {
  const [host] = await tx.select().from(hosts).orderBy(hosts.id).limit(1).for("update");
  if (!host) throw new CumulusError("unavailable", "No host has joined yet.", { retryAfterSeconds: 5 });
  admitGuest({ name: host.name, report: reportOf(host) }, arch, firmware);
  await admitMemory(tx, host, memoryBytes);
  admitDisk(host, diskBytes);
  return host;
}
