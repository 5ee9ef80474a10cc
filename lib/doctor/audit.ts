import { setTimeout as delay } from "node:timers/promises";
import { openPool } from "../db/client";
import type { Settings } from "../env";
import { disagreementsIn, lasting } from "./checks";
import { gatherSnapshot } from "./gather";
import type { Disagreement } from "./snapshot";

/**
 * How often what looks wrong is looked at again, once a second, before it is told: what moves is seen in two places at two times, and a QEMU that falls
 * silent may be told as such within five seconds.
 */
const moreLooks = 6;
const betweenLooksMs = 1_000;

export interface Audit {
  disagreements: Disagreement[];
  counts: {
    vms: number;
    processes: number | null;
    disks: number;
    images: number;
    files: number;
    /** On bridges; null where there are none, or they can't be looked at. */
    networks: number | null;
  };
}

/**
 * Compares all that is written down of an installation with what is there. It shares no code with the agent and the converger but the pure one that makes
 * nft tables and the name servers' files of the networks, and the networks and forwards of the database, and what looks into the host's own firewalls (seeForeignFirewalls,
 * seeLegacyFirewalls); it changes nothing, and tells only what it saw each time that it looked. Rejects when it can't look: the database doesn't answer, or
 * the folders aren't ours to read.
 */
export async function audit(settings: Settings): Promise<Audit> {
  const pool = openPool(settings, { maxConnections: 1 });
  try {
    let snapshot = await gatherSnapshot(settings, pool);
    let disagreements = disagreementsIn(snapshot);
    for (let looks = 0; looks < moreLooks && disagreements.length > 0; looks++) {
      await delay(betweenLooksMs);
      snapshot = await gatherSnapshot(settings, pool);
      disagreements = lasting(disagreements, disagreementsIn(snapshot));
    }
    const { vms, processes, machines, images, files, network } = snapshot;
    const disks = machines.filter(({ disk }) => disk !== null).length;
    const counts = {
      vms: vms.length,
      processes: processes?.length ?? null,
      disks,
      images: images.length,
      files: files.size,
      networks: network?.written.networks.length ?? null,
    };
    return { disagreements, counts };
  } finally {
    await pool.end();
  }
}
