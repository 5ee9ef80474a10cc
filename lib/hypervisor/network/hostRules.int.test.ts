import { randomBytes } from "node:crypto";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { networkStateSchema } from "../../domain/hostNetwork";
import { run } from "./commands";
import { hostTable } from "./hostRules";
import { networkNames } from "./names";
import { replacement } from "./nftTable";
import { chooseUplinkAddresses } from "./uplinkAddresses";

const namespace = `rules-${randomBytes(3).toString("hex")}`;
const path = `/run/netns/${namespace}`;
const names = networkNames("/run/cumulus/a-test");
const workUid = 1_900_000_000;

beforeAll(async () => {
  await execa("ip", ["netns", "add", namespace]);
  await execa("ip", ["-n", namespace, "link", "set", "lo", "up"]);
});
afterAll(() => execa("ip", ["netns", "delete", namespace]));

/** Whether a user's packet to a port of the loopback passes: nobody listens there, which the kernel then tells at once. */
async function isRefused(uid: number, protocol: "tcp" | "udp", port: number): Promise<boolean> {
  const say = `timeout 1 bash -c 'exec 3<>/dev/${protocol}/127.0.0.1/${port}; echo hello >&3; echo hello >&3'`;
  const command = ["setpriv", `--reuid=${uid}`, "--clear-groups", "--", "bash", "-c", say];
  const { stderr } = await execa("nsenter", [`--net=${path}`, "--", ...command], { reject: false });
  return stderr.includes("Connection refused");
}

test("work on images reaches no service of the host's loopback but the name server", async () => {
  const state = networkStateSchema.parse({ networks: [], firewalls: [], limits: [] });
  const table = hostTable(names, state, chooseUplinkAddresses(names, []), workUid);
  await run(path, "nft", ["-f", "-"], replacement(table));
  expect(await isRefused(workUid, "tcp", 3000)).toBe(false);
  expect(await isRefused(workUid, "tcp", 53)).toBe(true);
  expect(await isRefused(workUid, "udp", 53)).toBe(true);
  expect(await isRefused(workUid + 1, "tcp", 3000)).toBe(true);
});
