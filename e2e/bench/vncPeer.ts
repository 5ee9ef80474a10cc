import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** What stands in for QEMU's VNC server: `flood` sends as much as is taken, `echo` sends back what comes. */
export type VncPeerKind = "flood" | "echo";

export interface VncPeerData {
  path: string;
  kind: VncPeerKind;
}

export interface VncPeer {
  close(): Promise<void>;
}

/** Listens on a unix socket, in a thread of its own, so that it takes no time from the client's. */
export async function startVncPeer(path: string, kind: VncPeerKind): Promise<VncPeer> {
  const workerData: VncPeerData = { path, kind };
  const worker = new Worker(new URL(import.meta.url), { workerData });
  await once(worker, "message");
  return { close: async () => void (await worker.terminate()) };
}
