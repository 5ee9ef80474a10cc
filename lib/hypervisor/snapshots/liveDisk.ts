import { z } from "zod";
import { CumulusError } from "../../domain/errors";
import { fileNodeOf } from "../diskFiles";
import type { RunningQemu } from "../runningQemu";

const blockSchema = z.array(
  z.object({ qdev: z.string().optional(), inserted: z.object({ "node-name": z.string() }).optional() }),
);
const nodesSchema = z.array(z.object({ "node-name": z.string(), drv: z.string(), file: z.string() }));

/** The disk of a VM as its QEMU has it. */
export interface LiveDisk {
  /** The node that the guest writes to. */
  node: string;
  /** All qcow2 nodes, each with the path by which its file was opened. */
  nodes: { node: string; path: string }[];
}

/** Asks QEMU what it has open. */
export async function readLiveDisk(qemu: RunningQemu): Promise<LiveDisk> {
  const blocks = blockSchema.parse(await qemu.execute("query-block"));
  const node = blocks.find(({ qdev }) => qdev?.includes("/vd0/") || qdev === "vd0")?.inserted?.["node-name"];
  if (node === undefined) throw new CumulusError("internal", "The VM's QEMU has no disk.");
  const named = nodesSchema.parse(await qemu.execute("query-named-block-nodes", { flat: true }));
  const files = named.filter((one) => one.drv === "file" && one["node-name"].endsWith(fileNodeOf("")));
  const nodes = files.map((one) => ({ node: one["node-name"].slice(0, -fileNodeOf("").length), path: one.file }));
  return { node, nodes };
}

const graphSchema = z.object({
  nodes: z.array(z.object({ id: z.number(), name: z.string() })),
  edges: z.array(z.object({ parent: z.number(), child: z.number(), name: z.string() })),
});

/** The node that another one builds on in truth, whatever headers say ("x-debug-query-block-graph", qapi/block-core.json); undefined: none. */
export async function backingOf(qemu: RunningQemu, node: string): Promise<string | undefined> {
  const { nodes, edges } = graphSchema.parse(await qemu.execute("x-debug-query-block-graph"));
  const id = nodes.find(({ name }) => name === node)?.id;
  const edge = edges.find(({ parent, name }) => parent === id && name === "backing");
  return nodes.find((one) => one.id === edge?.child)?.name;
}

export function nodeOf(disk: LiveDisk, path: string): string | undefined {
  return disk.nodes.find((one) => one.path === path)?.node;
}
