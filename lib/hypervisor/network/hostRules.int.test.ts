import { randomBytes } from "node:crypto";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { networkStateSchema } from "../../domain/hostNetwork";
import { ipBatch, run } from "./commands";
import { hostTable } from "./hostRules";
import { networkNames } from "./names";
import { replacement } from "./nftTable";
import { chooseUplinkAddresses } from "./uplinkAddresses";

const namespace = `rules-${randomBytes(3).toString("hex")}`;
const vms = `${namespace}-vms`;
const path = `/run/netns/${namespace}`;
const names = networkNames("/run/cumulus/a-test");
const workUid = 1_900_000_000;

beforeAll(async () => {
  for (const name of [namespace, vms]) await execa("ip", ["netns", "add", name]);
  await ipBatch(path, [
    "link set dev lo up",
    `link add ${names.hostLink} type veth peer name inner netns ${vms}`,
    `address add 192.0.2.1/24 dev ${names.hostLink}`,
    `link set dev ${names.hostLink} up`,
  ]);
  await ipBatch(`/run/netns/${vms}`, [
    "link set dev lo up",
    "address add 192.0.2.2/24 dev inner",
    "link set dev inner up",
  ]);
  const state = networkStateSchema.parse({ networks: [], firewalls: [], limits: [] });
  const table = hostTable(names, state, chooseUplinkAddresses(names, []), workUid);
  await run(path, "nft", ["-f", "-"], replacement(table));
});
afterAll(async () => {
  for (const name of [namespace, vms]) await execa("ip", ["netns", "delete", name], { reject: false });
});

/** Whether a user's packet to a port arrives: nobody listens there, which the other side then tells at once. */
async function isRefused(uid: number, protocol: "tcp" | "udp", address: string, port: number): Promise<boolean> {
  const say = `timeout 2 bash -c 'exec 3<>/dev/${protocol}/${address}/${port}; echo hello >&3; read -t 1 -u 3'`;
  const command = ["setpriv", `--reuid=${uid}`, "--clear-groups", "--", "bash", "-c", say];
  const { stderr } = await execa("nsenter", [`--net=${path}`, "--", ...command], { reject: false });
  return stderr.includes("Connection refused");
}

test.each([
  ["the host's loopback", "127.0.0.1"],
  ["the host's loopback by IPv6", "::1"],
  ["VMs", "192.0.2.2"],
])("work on images reaches nothing of %s but name servers, and others do", async (_where, address) => {
  for (const protocol of ["tcp", "udp"] as const) {
    const reaches = (uid: number, port: number) => isRefused(uid, protocol, address, port);
    expect([protocol, await reaches(workUid, 3000), await reaches(workUid, 53)]).toEqual([protocol, false, true]);
    expect([protocol, await reaches(workUid + 1, 3000)]).toEqual([protocol, true]);
  }
});
