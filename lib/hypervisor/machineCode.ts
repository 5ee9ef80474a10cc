/** The bytes at the beginning of each line of a listing; the assembly after them is for people. */
export function assemble(listing: string): Buffer {
  const bytes = listing.split("\n").flatMap((line) => {
    const digits = /^ {2}((?:[0-9a-f]{2} )+)/.exec(`${line} `)?.[1];
    return digits?.trim().split(" ") ?? [];
  });
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 16)));
}

/** What a PC's BIOS loads from a disk to 0x7c00 and runs. */
export function bootSector(code: Buffer): Buffer {
  const sector = Buffer.alloc(512);
  code.copy(sector);
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}
