import { join } from "node:path";
import * as z from "zod";
import { type NetworkState, portForwardSchema } from "../../domain/hostNetwork";
import { readTextIfThere, writeFileAtomic } from "../../system/files";
import { loopback } from "./hostPorts";

/** A port of this computer's loopback that leads to a VM with a user-mode network. */
export const userForwardSchema = portForwardSchema
  .pick({ protocol: true, hostPort: true, port: true })
  .extend({ vmId: z.number().int() });
export type UserForward = z.infer<typeof userForwardSchema>;

/** What is kept of a state. */
const userForwardsSchema = z.object({
  /** The fingerprint of the state, once it is in effect; null until then. */
  applied: z.string().nullable(),
  forwards: z.array(userForwardSchema),
});
export type UserForwards = z.infer<typeof userForwardsSchema>;

export const noForwards: UserForwards = { applied: null, forwards: [] };

/** Those forwards of a state that QEMU may make: on the loopback, to a VM's first interface. Pure. */
export function userForwardsIn({ networks }: NetworkState): UserForward[] {
  return networks.flatMap(({ hosts, forwards }) =>
    forwards.flatMap(({ hostAddress, ipv4, protocol, hostPort, port }) => {
      const host = hosts.find((one) => one.ipv4 === ipv4 && one.interfaceId === "net0");
      return host && hostAddress === loopback ? [{ vmId: host.vmId, protocol, hostPort, port }] : [];
    }),
  );
}

function pathIn(dataDir: string): string {
  return join(dataDir, "forwards.json");
}

/** Those that were last asked for; none when there never were any. Rejects when they can't be read. */
export async function readUserForwards(dataDir: string): Promise<UserForwards> {
  const text = await readTextIfThere(pathIn(dataDir));
  return text === null ? noForwards : userForwardsSchema.parse(JSON.parse(text));
}

export async function writeUserForwards(dataDir: string, forwards: UserForwards): Promise<void> {
  await writeFileAtomic(pathIn(dataDir), `${JSON.stringify(forwards, null, 2)}\n`);
}
