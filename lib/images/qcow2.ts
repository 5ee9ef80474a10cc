import { open } from "node:fs/promises";
import { refusal } from "./checks/refusal";

export interface Qcow2Header {
  version: number;
  virtualBytes: number;
  hasBackingFile: boolean;
  isEncrypted: boolean;
  hasExternalDataFile: boolean;
}

const magic = 0x514649fb;
const headerBytes = 112;
/** Bits of incompatible_features that this reader knows: dirty, corrupt, external data, compression type, extended L2. */
const knownIncompatible = 0b11111n;
const externalDataBit = 1n << 2n;

/**
 * Reads a qcow2 header (QEMU's docs/interop/qcow2.txt) without any of QEMU's code, which would already follow what the header names.
 * Throws `bad_request` for what is no qcow2 of version 2 or 3.
 */
export function parseQcow2Header(bytes: Buffer): Qcow2Header {
  if (bytes.length < 72 || bytes.readUInt32BE(0) !== magic) throw refusal("it is not in qcow2 format");
  const version = bytes.readUInt32BE(4);
  if (version !== 2 && version !== 3) throw refusal(`its qcow2 version ${version} is not known`);
  if (version === 3 && bytes.length < 104) throw refusal("its header is cut short");
  const features = version === 3 ? bytes.readBigUInt64BE(72) : 0n;
  if ((features & ~knownIncompatible) !== 0n) throw refusal("it uses qcow2 features that are not known");
  return {
    version,
    virtualBytes: Number(bytes.readBigUInt64BE(24)),
    hasBackingFile: bytes.readBigUInt64BE(8) !== 0n || bytes.readUInt32BE(16) !== 0,
    isEncrypted: bytes.readUInt32BE(32) !== 0,
    hasExternalDataFile: (features & externalDataBit) !== 0n,
  };
}

export async function readQcow2Header(path: string): Promise<Qcow2Header> {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
    return parseQcow2Header(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** Throws `bad_request` unless the file may be an image: all of its bytes in itself, nothing that leads to another file of the host. */
export function assertSelfContained(header: Qcow2Header): void {
  if (header.hasBackingFile) throw refusal("it names a backing file, and an image must hold all of its data");
  if (header.hasExternalDataFile) throw refusal("it keeps its data in another file");
  if (header.isEncrypted) throw refusal("it is encrypted");
}
