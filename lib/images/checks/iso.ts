import { open } from "node:fs/promises";
import { readAt } from "./content";
import { refusal } from "./refusal";

/** ECMA-119: the first 16 sectors are free for others, then one volume descriptor a sector. */
const sectorBytes = 2048;
const firstDescriptor = 16;
const maxDescriptors = 32;
const primaryVolume = 1;
const terminator = 255;

/**
 * Checks that a file is a whole ISO 9660 volume and returns its label, without the spaces that fill it up.
 * @throws `bad_request`
 */
export async function readIsoLabel(file: string): Promise<string> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    for (let number = 0; number < maxDescriptors; number++) {
      const descriptor = await readAt(handle, (firstDescriptor + number) * sectorBytes, sectorBytes);
      const isDescriptor = descriptor.length === sectorBytes && descriptor.toString("latin1", 1, 6) === "CD001";
      if (!isDescriptor || descriptor[0] === terminator) break;
      if (descriptor[0] !== primaryVolume) continue;
      assertWhole(descriptor, size);
      return descriptor
        .toString("latin1", 40, 72)
        .replace(/[^\x20-\x7e]/g, "")
        .trim();
    }
    throw refusal("it is an ISO file whose list of contents is missing");
  } finally {
    await handle.close();
  }
}

function assertWhole(descriptor: Buffer, fileBytes: number): void {
  const blockBytes = descriptor.readUInt16LE(128);
  const volumeBytes = descriptor.readUInt32LE(80) * blockBytes;
  const isAgreed =
    descriptor.readUInt32LE(80) === descriptor.readUInt32BE(84) && blockBytes === descriptor.readUInt16BE(130);
  if (!isAgreed || blockBytes !== sectorBytes || volumeBytes === 0)
    throw refusal("it is an ISO file whose sizes make no sense");
  if (volumeBytes > fileBytes) throw refusal("it is an ISO file that is cut short: get it again");
}
