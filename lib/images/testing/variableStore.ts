/** The least that is a store of UEFI variables: the header of its volume (UEFI Platform Initialization Specification, volume 3), and no variable. */
export function variableStore(bytes = 4096): Buffer {
  const store = Buffer.alloc(bytes, 0xff);
  store.fill(0, 0, 16);
  store.write("8d2bf1ff96768b4ca9852747075b4f50", 16, "hex");
  store.writeBigUInt64LE(BigInt(bytes), 32);
  store.write("_FVH", 40, "latin1");
  return store;
}
