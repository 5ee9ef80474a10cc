import { vmNameSchema } from "../../../lib/domain/vm";

/** A name for a VM from that of its archive, as browsers save it: "web-1 (2).tar" is that of "web-1". Empty when it tells none. */
export function nameFromArchive(fileName: string): string {
  const name = fileName.toLowerCase().replace(/( ?\(\d+\))?\.tar$/, "");
  return vmNameSchema.safeParse(name).success ? name : "";
}
