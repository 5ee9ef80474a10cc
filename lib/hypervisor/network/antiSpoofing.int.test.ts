import { afterAll, beforeAll, expect, test } from "vitest";
import type { NetworkState } from "../../domain/hostNetwork";
import { forgedFrames, frameNames, honestFrame, type Parties, withMacs } from "../testing/lab/forgedFrames";
import { Lab, type LabNamespace } from "../testing/lab/lab";
import { get, host, network, serve } from "../testing/lab/labNetworks";
import { until } from "../testing/until";
import { gatewayMac } from "./names";

const mark = "forged-by-a-test";
const one = network(1, [host(1, 1), host(2, 1), host(3, 1)]);
const state: NetworkState = { networks: [one], firewalls: [], limits: [] };

let lab: Lab;
let forger: LabNamespace;
let victim: LabNamespace;
let thief: LabNamespace;
let parties: Parties;

beforeAll(async () => {
  lab = await Lab.make();
  await lab.startAgent();
  await lab.apply(state);
  [forger, victim, thief] = (await Promise.all([1, 2, 3].map((id) => lab.guest(host(id, 1), one)))) as [
    LabNamespace,
    LabNamespace,
    LabNamespace,
  ];
  const party = ({ mac, ipv4, ipv6 }: ReturnType<typeof host>) => ({ mac, ipv4, ipv6: ipv6 ?? "" });
  parties = {
    forger: party(host(1, 1)),
    victim: party(host(2, 1)),
    gateway: { mac: gatewayMac(lab.names, 1), ipv4: "192.168.1.1", ipv6: "fd00:0:0:1::1" },
  };
});
afterAll(async () => {
  await lab.close();
});

test("no forged frame of one guest reaches another, and an honest one does", async () => {
  const seen = await lab.sniff(victim, mark);
  const frames = forgedFrames(parties, mark);
  expect(Object.keys(frames).length).toBeGreaterThanOrEqual(15);
  await lab.sendFrames(
    forger,
    Object.values(frames).flatMap((frame) => [frame, frame]),
  );
  // What comes last has come after all that was sent before it.
  await lab.sendFrames(forger, [honestFrame(parties, mark)]);
  const arrived = await until(() => {
    const names = frameNames(seen.slice(1), mark);
    return names.includes("honest") ? names : null;
  }, 20_000);
  expect(arrived).toEqual(["honest"]);
  expect(seen[1]).toContain(parties.gateway.mac.replaceAll(":", ""));
});

test("a connection between neighbours is switched straight to them, and nobody else's frame rides on it", async () => {
  const text = "on-a-shortcut";
  const seen = await lab.sniff(victim, text);
  const overhearing = await lab.sniff(thief, text);
  const frame = honestFrame(parties, text, 4001);
  const inHex = (mac: string) => mac.replaceAll(":", "");
  const { forger: sender, gateway } = parties;
  await lab.sendFrames(forger, [frame]);
  await until(() => seen.length === 2);
  await lab.sendFrames(forger, [frame]);
  await until(() => seen.length === 3);
  // As the router sends it, and as the neighbour does.
  expect(seen.slice(1).map((hex) => hex.slice(12, 24))).toEqual([inHex(gateway.mac), inHex(sender.mac)]);
  // At once: the shortcut is there for seconds only.
  await Promise.all([
    lab.sendFrames(thief, [frame, withMacs(frame, { from: host(3, 1).mac })]),
    lab.sendFrames(forger, [
      withMacs(frame, { from: host(3, 1).mac }),
      withMacs(frame, { from: "52:54:00:99:99:99" }),
      withMacs(frame, { to: "ff:ff:ff:ff:ff:ff" }),
    ]),
  ]);
  await until(() => seen.length === 4);
  expect(seen[3]?.slice(0, 24)).toBe(`${inHex(parties.victim.mac)}${inHex(sender.mac)}`);
  expect(overhearing).toEqual(["ready"]);
});

test("after all that, everybody still finds everybody", async () => {
  await serve(victim, 80);
  await serve(forger, 80);
  expect(await victim.run("ip", ["neighbour", "show", "192.168.1.1"])).not.toContain(parties.forger.mac);
  expect(await get(lab.host, parties.victim.ipv4, 80)).toMatch(/^hello/);
  expect(await get(victim, parties.forger.ipv4, 80)).toBe(`hello ::ffff:${parties.victim.ipv4}`);
  expect(await get(victim, parties.forger.ipv6, 80)).toBe(`hello ${parties.victim.ipv6}`);
  const neighbours = await lab.inner.run("ip", ["neighbour", "show"]);
  expect(neighbours).toMatch(new RegExp(`^${parties.victim.ipv4} .*lladdr ${parties.victim.mac}`, "m"));
  expect(neighbours).toMatch(new RegExp(`^${parties.victim.ipv6} .*lladdr ${parties.victim.mac}`, "m"));
});
