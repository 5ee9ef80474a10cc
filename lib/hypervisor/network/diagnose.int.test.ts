import { afterAll, beforeAll, expect, test } from "vitest";
import type { NetworkState, ReachabilityCheck } from "../../domain/hostNetwork";
import type { NetworkInterface } from "../../domain/machine";
import { Lab, type LabNamespace } from "../testing/lab/lab";
import { host, network, serve } from "../testing/lab/labNetworks";

const guestsHost = host(1, 1);
const one = network(1, [guestsHost]);
const state: NetworkState = { networks: [one], firewalls: [], limits: [] };
const { cidr, gateway } = one;
const link: Partial<NetworkInterface> = {
  ...{ id: "net0", mac: guestsHost.mac, driver: "bridge" },
  ...{ cidr, gateway, dns: gateway, ipv4: guestsHost.ipv4 },
};

let lab: Lab;
let guest: LabNamespace;

beforeAll(async () => {
  lab = await Lab.make();
  await lab.startAgent();
  await lab.apply(state);
  guest = await lab.guest(guestsHost, one);
});
afterAll(() => lab.close());

const diagnose = (port: number) => lab.ask<ReachabilityCheck[]>("diagnose", 1, link, port);
const outcomes = (checks: ReachabilityCheck[]) => checks.map(({ name, outcome }) => `${name} ${outcome}`);
const upToRoute = ["running ok", "interface ok", "lease ok", "arp ok", "firewall ok", "route ok"];

/** Takes one connection on SSH's port and says this, or nothing. */
const speakOnce = (greeting: string) =>
  guest.start(process.execPath, [
    "-e",
    `const server = require("node:net").createServer((socket) => {
      server.close();
      socket.on("error", () => {}).write(${JSON.stringify(greeting)});
    }).listen(22, "::", () => console.log("ready"));`,
  ]);

test("a port that answers, one on which nothing listens, and one that something inside the guest drops are told apart", async () => {
  await serve(guest, 80);
  expect(outcomes(await diagnose(80))).toEqual([...upToRoute, "port ok"]);
  const unheard = await diagnose(81);
  expect(outcomes(unheard)).toEqual([...upToRoute, "port failed"]);
  expect(unheard.at(-1)?.message).toBe("Nothing listens on port 81.");
  const drop = "table inet own { chain in { type filter hook input priority 0; tcp dport 80 drop; }; }";
  await guest.run("nft", ["-f", "-"], drop);
  const dropped = await diagnose(80);
  expect(outcomes(dropped)).toEqual([...upToRoute, "port failed"]);
  expect(dropped.at(-1)).toMatchObject({
    message: "Port 80 doesn't answer.",
    fix: expect.stringContaining("firewall inside the VM"),
  });
  await guest.run("nft", ["delete", "table", "inet", "own"]);
  expect(outcomes(await diagnose(80))).toEqual([...upToRoute, "port ok"]);
});

test.each([
  ["says nothing", ""],
  ["greets as another service does", "220 mail.example ESMTP\r\n"],
])("SSH's port that is open and %s is told to have no SSH server", async (_, greeting) => {
  await speakOnce(greeting);
  const checks = await diagnose(22);
  expect(outcomes(checks)).toEqual([...upToRoute, "port ok", "ssh failed"]);
  expect(checks.at(-1)?.message).toBe("The port is open, and no SSH server speaks on it.");
});

test("a guest whose link is down took no address that is known of, and nobody answers for its own", async () => {
  await guest.ip("link set dev eth0 down");
  const checks = await diagnose(22);
  expect(outcomes(checks)).toEqual(["running ok", "interface ok", "lease unknown", "arp failed"]);
  expect(checks.at(-1)?.message).toBe("Nobody answers for 192.168.1.2: inside the VM, that address is not set up.");
});
