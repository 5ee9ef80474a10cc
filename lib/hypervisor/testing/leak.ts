import { open } from "node:fs/promises";

const clusterBytes = 65_536;

/**
 * Takes a cluster of a qcow2 file that nothing refers to, as a QEMU does that is killed before it writes down what a cluster is for. Of files with clusters of
 * 64 KiB and refcounts of 16 bits, as qemu-img makes them (QEMU's docs/interop/qcow2.txt, "Host cluster management").
 */
export async function leakCluster(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    const readNumber = async (at: number) => {
      const { buffer } = await file.read(Buffer.alloc(8), 0, 8, at);
      return Number(buffer.readBigUInt64BE());
    };
    const table = await readNumber(48);
    const firstBlock = await readNumber(table);
    const cluster = Math.ceil((await file.stat()).size / clusterBytes);
    await file.write(Buffer.from([0, 1]), 0, 2, firstBlock + 2 * cluster);
    await file.write(Buffer.alloc(clusterBytes, 0xff), 0, clusterBytes, cluster * clusterBytes);
  } finally {
    await file.close();
  }
}
