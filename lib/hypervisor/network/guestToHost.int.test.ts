import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NetworkState } from "../../domain/hostNetwork";
import { Lab, type LabNamespace } from "../testing/lab/lab";
import { host, network } from "../testing/lab/labNetworks";
import { untilQuiet } from "../testing/until";

const one = network(1, [host(1, 1)]);
const state: NetworkState = { networks: [one], firewalls: [], limits: [] };
const gateways = ["192.168.1.1", "fd00:0:0:1::1"];
const linkLocalGateway = "fe80::1";

/** On which the network's own name server is there too. */
const served = [53, 67, 547];
const free = [1, 22, 80, 111, 253, 443, 631, 2049, 3000, 5000, 5432, 5900, 6000, 8080, 9090, 16509];
const ports = [...served, ...free];

let lab: Lab;
let guest: LabNamespace;
/** Addresses of the host, and of the namespace that its networks are in, each with its link where it is known by that alone. */
let ofHost: string[];
let ofNamespace: string[];
/** A line for each connection and datagram that has come to a program there. */
let heard: string[][];

beforeAll(async () => {
  lab = await Lab.make();
  await lab.startAgent();
  await lab.apply(state);
  guest = await lab.guest(host(1, 1), one);
  ofHost = (await addressesOf(lab.host)).filter((address) => !address.startsWith("fe80"));
  ofNamespace = await addressesOf(lab.inner);
  heard = await Promise.all([listenOn(lab.host, ofHost), listenOn(lab.inner, ofNamespace)]);
});
afterAll(() => lab.close());

/** But for those of its loopback. */
async function addressesOf(space: LabNamespace): Promise<string[]> {
  const links: { ifname: string; addr_info: { local: string; scope: string }[] }[] = JSON.parse(
    await space.run("ip", ["-json", "address", "show"]),
  );
  return links
    .filter(({ ifname }) => ifname !== "lo")
    .flatMap(({ ifname, addr_info }) =>
      addr_info.map(({ local, scope }) =>
        local.startsWith("fe80") && scope === "link" ? `${local}%${ifname}` : local,
      ),
    );
}

/** Has programs answer on all ports that are free, on each address by itself: what answers on all of them answers datagrams from any. */
function listenOn(space: LabNamespace, addresses: string[]): Promise<string[]> {
  return space.start(process.execPath, [
    "-e",
    `const hear = (protocol, address, port) => console.log("heard " + protocol + " " + address + " " + port);
     const listening = (program, listen) => new Promise((done, fail) => {
       program.once("listening", done);
       program.once("error", (error) => error.code === "EADDRINUSE" ? done() : fail(error));
       listen.call(program);
     });
     const each = (address, port) => [
       listening(
         require("node:net").createServer((socket) => { hear("tcp", address, port); socket.on("error", () => {}).end("host"); }),
         function () { this.listen({ port, host: address }); }),
       listening(
         require("node:dgram").createSocket(address.includes(":") ? "udp6" : "udp4", function (data, from) {
           hear("udp", address, port);
           this.send("host", from.port, from.address);
         }),
         function () { this.bind({ port, address }); }),
     ];
     Promise.all(${JSON.stringify(addresses)}.flatMap((address) => ${JSON.stringify(ports)}.flatMap((port) => each(address, port))))
       .then(() => console.log("ready"));`,
  ]);
}

/** Which ports answer, as "udp fd00::1 53": each is asked again until it does, or the time is over. */
async function answering(
  space: LabNamespace,
  addresses: string[],
  asked: number[],
  timeoutMs = 60_000,
): Promise<string[]> {
  const text = await space.node(`
    const { createSocket } = require("node:dgram"), { connect } = require("node:net");
    const targets = ${JSON.stringify(addresses)}.flatMap((address) => ${JSON.stringify(asked)}.map((port) => ({ address, port })));
    const open = new Set(), isEnough = () => open.size === 2 * targets.length;
    const end = () => { say(JSON.stringify([...open].sort())); process.exit(); };
    const found = (protocol, address, port) => { open.add([protocol, address, port].join(" ")); if (isEnough()) end(); };
    // A query for the name server itself (RFC 1035): whatever is not DNS takes it for data.
    const query = Buffer.from("00010100000100000000000007676174657761790000010001", "hex");
    const heard = (data, from) => found("udp", from.address, from.port);
    const sockets = { 4: createSocket("udp4", heard), 6: createSocket("udp6", heard) };
    const send = ({ address, port }) => {
      if (!open.has(["udp", address, port].join(" "))) sockets[address.includes(":") ? 6 : 4].send(query, port, address, () => {});
    };
    targets.forEach(send);
    setInterval(() => targets.forEach(send), 500);
    for (const { address, port } of targets) {
      connect({ host: address, port }).on("connect", function () { found("tcp", address, port); this.destroy(); }).on("error", () => {});
    }
    setTimeout(end, ${timeoutMs});`);
  return JSON.parse(text);
}

const allOf = (addresses: string[], asked: number[]) =>
  ["tcp", "udp"]
    .flatMap((protocol) => addresses.flatMap((address) => asked.map((port) => `${protocol} ${address} ${port}`)))
    .sort();

/** What a guest knows link-local addresses by is its own link. */
const seenByGuest = (addresses: string[]) => [...new Set(addresses.map((one) => one.replace(/%.*/, "%eth0")))];

describe("from inside a guest", () => {
  test("there are programs that answer on each address of the host, and of the namespace of its networks, to themselves", async () => {
    expect(ofHost).toContain("203.0.113.2");
    // The ends of the link between the two.
    for (const [addresses, ends] of [
      [ofHost, 1],
      [ofNamespace, 2],
    ] as const) {
      expect(addresses.filter((address) => address.startsWith("169.254."))).toHaveLength(1);
      expect(addresses.filter((address) => address.startsWith("fd"))).toHaveLength(ends);
    }
    expect(ofNamespace).toEqual(expect.arrayContaining([...gateways, `${linkLocalGateway}%br1`]));
    expect(await answering(lab.host, ofHost, free)).toEqual(allOf(ofHost, free));
    expect(await answering(lab.inner, ofNamespace, free)).toEqual(allOf(ofNamespace, free));
  });

  test("no port of the host answers but DNS at the gateway, nor does anything come to one", async () => {
    await Promise.all(heard.map((lines) => untilQuiet(lines)));
    for (const lines of heard) lines.splice(0);
    const open = await answering(guest, seenByGuest([...ofHost, ...ofNamespace]), ports, 5000);
    expect(open).toEqual(allOf(gateways, [53]));
    await Promise.all(heard.map((lines) => untilQuiet(lines)));
    expect(heard).toEqual([[], []]);
  });

  test("without the rules that keep it closed, all of them answer a guest that has a way there", async () => {
    await lab.killAgent();
    await lab.host.run("nft", ["delete", "table", "inet", lab.names.hostLink]);
    await lab.inner.run("nft", ["delete", "table", "inet", "cumulus"]);
    const onItsLink = ofNamespace.filter((address) => !address.startsWith("fe80") || address.endsWith("%br1"));
    const near = seenByGuest([...ofHost, ...onItsLink]);
    expect(await answering(guest, near, free)).toEqual(allOf(near, free));
  });
});
