import type { QmpPeer } from "./streamJob";

/** The host's disk may have much to write first. */
const longestMs = 120_000;

/**
 * Has a node write out what QEMU keeps in its caches of it, as the tables that say where copied data lies: they are lost with a QEMU that is killed. Of all that QMP
 * has, opening a node anew as it is open ("blockdev-reopen", qapi/block-core.json) does this and tells when it fails. Guests wait meanwhile, so the file's own data is
 * better synced before.
 * @param options all that the node was opened with: what isn't named would get its default
 */
export async function writeOut(peer: QmpPeer, options: object, timeoutMs = longestMs): Promise<void> {
  await peer.execute("blockdev-reopen", { options: [options] }, timeoutMs);
}
