import { and, asc, eq } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { portForwards } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import type { ShadowedForward } from "../../domain/consolePort";

/** All forwards that lead nowhere since the console has their port. */
export async function shadowedForwards(db: Queryable, consolePort: number): Promise<ShadowedForward[]> {
  return db
    .select({ vmName: vms.name, hostAddress: portForwards.hostAddress, hostPort: portForwards.hostPort })
    .from(portForwards)
    .innerJoin(vms, eq(vms.id, portForwards.vmId))
    .where(and(eq(portForwards.protocol, "tcp"), eq(portForwards.hostPort, consolePort)))
    .orderBy(asc(portForwards.id));
}
