import { and, asc, count, eq, isNull } from "drizzle-orm";
import { images, networks, vms } from "../db/schema";
import type { Image } from "../domain/image";
import type { Network } from "../domain/network";
import type { Context } from "./context";
import { getHost } from "./hosts";

/** Images by name, with how many live VMs have an overlay on each. */
export async function listImages(context: Context): Promise<Image[]> {
  const rows = await context.db
    .select({ image: images, vmCount: count(vms.id) })
    .from(images)
    .leftJoin(vms, and(eq(vms.imageId, images.id), isNull(vms.deletedAt)))
    .groupBy(images.id)
    .orderBy(asc(images.name), asc(images.id));
  return rows.map(({ image, vmCount }) => ({ ...image, createdAt: image.createdAt.toISOString(), vmCount }));
}

export async function listNetworks(context: Context): Promise<Network[]> {
  const { report } = await getHost(context);
  const rows = await context.db
    .select({ network: networks, vmCount: count(vms.id) })
    .from(networks)
    .leftJoin(vms, and(eq(vms.networkId, networks.id), isNull(vms.deletedAt)))
    .groupBy(networks.id)
    .orderBy(asc(networks.name));
  return rows.map(({ network, vmCount }) => ({ ...network, driver: report?.network.driver ?? "user", vmCount }));
}
