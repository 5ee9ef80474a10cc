import { readFile } from "node:fs/promises";

/** Up to the checksum of EFI_FIRMWARE_VOLUME_HEADER (UEFI Platform Initialization Specification, volume 3, section 3.2.1.1). */
const headerBytes = 56;
const signature = "_FVH";
/** EFI_SYSTEM_NV_DATA_FV_GUID: a volume of variables, unlike one of programs (EDK II, MdeModulePkg/Include/Guid/SystemNvDataGuid.h). */
const variablesGuid = Buffer.from("8d2bf1ff96768b4ca9852747075b4f50", "hex");

/**
 * Whether a file, of at most some MiB, is a store of UEFI variables as firmware keeps one: a firmware volume of that kind whose length the file has, or
 * nothing but zeros, as it is for aarch64 before the first start. What the variables say is the guest's own affair.
 */
export async function isVariableStore(file: string): Promise<boolean> {
  const content = await readFile(file);
  if (content.length < headerBytes) return false;
  const isSigned = content.toString("latin1", 40, 44) === signature && content.subarray(16, 32).equals(variablesGuid);
  if (!isSigned) return content.equals(Buffer.alloc(content.length));
  const volumeBytes = content.readBigUInt64LE(32);
  return volumeBytes >= headerBytes && volumeBytes <= BigInt(content.length);
}
