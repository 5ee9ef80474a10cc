import { afterAll, beforeAll, expect, test } from "vitest";
import type { FirewallRule, NetworkState } from "../../domain/hostNetwork";
import { Lab, type LabNamespace } from "../testing/lab/lab";
import { host, network } from "../testing/lab/labNetworks";
import { until, untilQuiet } from "../testing/until";

const one = network(1, [host(1, 1), host(2, 1)]);
const state: NetworkState = { networks: [one], firewalls: [], limits: [] };
const tcp = (port: number): FirewallRule => ({ protocol: "tcp", ports: [{ from: port, to: port }], cidrs: [] });
const udp = (port: number, ...cidrs: string[]): FirewallRule => ({ ...tcp(port), protocol: "udp", cidrs });

let lab: Lab;
let a: LabNamespace;
let b: LabNamespace;

beforeAll(async () => {
  lab = await Lab.make();
  await lab.startAgent();
  await lab.apply(state);
  [a, b] = await Promise.all([lab.guest(host(1, 1), one), lab.guest(host(2, 1), one)]);
});
afterAll(async () => {
  await lab.close();
});

interface Exchange {
  /** A line for each datagram that the server has sent, and that VM 1 has heard. */
  sent: string[];
  heard: string[];
}

/** VM 1 asks once, and from then on only the server sends. */
async function ask(server: LabNamespace, address: string, port: number): Promise<Exchange> {
  await lab.apply(state);
  const socket = `const socket = require("node:dgram").createSocket("udp${address.includes(":") ? 6 : 4}");`;
  const sent = await server.start(process.execPath, [
    "-e",
    `${socket} socket.bind(${port}, () => console.log("ready"));
     socket.once("message", (data, { port, address }) =>
       setInterval(() => socket.send("x", port, address, () => console.log("sent")), 20));`,
  ]);
  const heard = await a.start(process.execPath, [
    "-e",
    `${socket} socket.on("message", () => console.log("heard"));
     socket.send("x", ${port}, "${address}", () => console.log("ready"));`,
  ]);
  await until(() => heard.length > 20);
  return { sent, heard };
}

const withFirewall = (vmId: number, ingress: FirewallRule[] | null, egress: FirewallRule[] | null): NetworkState => ({
  ...state,
  firewalls: [{ vmId, interfaceId: "net0", ingress, egress }],
});

async function expectEnd({ sent, heard }: Exchange, after: NetworkState): Promise<void> {
  await lab.apply(after);
  await untilQuiet(heard);
  const [sentBefore, heardBefore] = [sent.length, heard.length];
  await until(() => sent.length > sentBefore + 50, 20_000);
  expect(heard).toHaveLength(heardBefore);
}

async function expectMore({ heard }: Exchange, after: NetworkState): Promise<void> {
  await lab.apply(after);
  const { length } = heard;
  await until(() => heard.length > length + 20, 20_000);
}

test("an exchange that only the other side keeps up ends with what forbids it, and goes on with what allows it", async () => {
  const exchange = await ask(lab.internet, "203.0.113.1", 9001);
  const onPort = (port: number) => withFirewall(1, [tcp(22)], [udp(port, "203.0.113.1/32")]);
  await expectMore(exchange, onPort(9001));
  await expectEnd(exchange, withFirewall(1, [tcp(22)], [tcp(443)]));
  await expectMore(exchange, onPort(9001));
  await expectEnd(exchange, onPort(9002));
  await expectMore(exchange, state);
  await expectEnd(exchange, { ...state, networks: [{ ...one, outside: "none" }] });
  await expectMore(exchange, state);
});

test.each([
  ["192.168.1.3", 9004],
  ["fd00:0:0:1::3", 9006],
])(
  "so does one of a neighbour at %s, whichever of the two has the firewall",
  async (address, port) => {
    const exchange = await ask(b, address, port);
    await expectMore(exchange, withFirewall(2, [udp(port, "192.168.1.2/32", "fd00:0:0:1::2/128")], []));
    await expectEnd(exchange, withFirewall(2, [udp(port, "192.168.1.9/32", "fd00:0:0:1::9/128")], null));
    await expectMore(exchange, withFirewall(1, [], null));
    await expectEnd(exchange, withFirewall(1, null, [tcp(443)]));
    await expectMore(exchange, state);
  },
  60_000,
);

test("it goes on when a network, a VM and a firewall that have nothing to do with it come and go", async () => {
  const exchange = await ask(lab.internet, "203.0.113.1", 9007);
  const more = { ...one, hosts: [...one.hosts, host(3, 1)] };
  await expectMore(exchange, { ...withFirewall(3, [], []), networks: [more, network(2, [host(4, 2)])] });
  await expectMore(exchange, state);
});
