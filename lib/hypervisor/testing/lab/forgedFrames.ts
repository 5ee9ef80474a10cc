/** Who takes part: the forger, its victim in the same network, and the gateway. */
export interface Parties {
  forger: Party;
  victim: Party;
  gateway: Party;
}

export interface Party {
  mac: string;
  ipv4: string;
  ipv6: string;
}

const broadcast = "ff:ff:ff:ff:ff:ff";
const allNodes = { mac: "33:33:00:00:00:01", ipv6: "ff02::1" };
const allRouters = { mac: "33:33:00:00:00:02", ipv6: "ff02::2" };
const linkLocal = "fe80::5054:ff:fe00:101";
const victimLinkLocal = "fe80::5054:ff:fe00:102";

/** A forged frame that says within its packet which it is: routers trim what is behind that. */
type Forgery = (says: Buffer) => Buffer;

/**
 * What one guest may send that isn't its own, by what it would do. Each holds the mark and its name, as `frameNames` reads them: in UDP's data or an option of
 * ICMPv6; what no router passes on, in the end.
 */
export function forgedFrames(parties: Parties, mark: string): Record<string, Buffer> {
  const forgeries = Object.entries(forgeriesOf(parties));
  return Object.fromEntries(forgeries.map(([name, forge]) => [name, forge(marked(mark, name))]));
}

/** Which of the marked frames these are, as they were heard in hex. */
export function frameNames(heard: readonly string[], mark: string): string[] {
  const names = new RegExp(`${mark}<(.*?)>`);
  return heard.map((hex) => names.exec(Buffer.from(hex, "hex").toString("latin1"))?.[1] ?? hex);
}

function marked(mark: string, name: string): Buffer {
  return Buffer.from(`${mark}<${name}>`, "latin1");
}

function forgeriesOf({ forger, victim, gateway }: Parties): Record<string, Forgery> {
  const own = (to: string, type: number, packet: Forgery) => from(forger.mac, to, type, packet);
  /** As a router passes packets on: what only it and the name server may say must not come by that way either. */
  const routed = (type: number, packet: Forgery) => own(gateway.mac, type, packet);
  const toVictim = (source: string, mac = gateway.mac) => own(mac, 0x0800, udp4(source, victim.ipv4, 4000, 5000));
  const asNeighbour = udp4(forger.ipv4, victim.ipv4, 1, 2);
  const gatewayIsHere = Buffer.concat([Buffer.from([0x20, 0, 0, 0]), ip6(gateway.ipv6)]);
  return {
    "an IPv4 packet from the gateway's address": toVictim(gateway.ipv4),
    "an IPv4 packet from a neighbour's address": toVictim("192.168.1.77"),
    "an IPv4 packet from the victim's own address, sent to its MAC": toVictim(victim.ipv4, victim.mac),
    "an IPv4 packet from the loopback": toVictim("127.0.0.1"),
    "an IPv4 packet from nowhere": toVictim("0.0.0.0"),
    "a frame with the victim's MAC as its source": from(victim.mac, gateway.mac, 0x0800, asNeighbour),
    "a frame with a made-up MAC as its source": from("52:54:00:99:99:99", victim.mac, 0x0800, asNeighbour),
    "an ARP answer that says it is the gateway": own(
      broadcast,
      0x0806,
      arp(2, forger.mac, gateway.ipv4, victim.mac, victim.ipv4),
    ),
    "an ARP answer to the victim alone that says it is the gateway": own(
      victim.mac,
      0x0806,
      arp(2, forger.mac, gateway.ipv4, victim.mac, victim.ipv4),
    ),
    "an ARP answer to the gateway that says it is the victim": own(
      gateway.mac,
      0x0806,
      arp(2, forger.mac, victim.ipv4, gateway.mac, gateway.ipv4),
    ),
    "an ARP question in the victim's name": own(
      broadcast,
      0x0806,
      arp(1, forger.mac, victim.ipv4, broadcast, gateway.ipv4),
    ),
    "an ARP answer for another's MAC": own(broadcast, 0x0806, arp(2, victim.mac, forger.ipv4, broadcast, forger.ipv4)),
    "a DHCP server's answer": own(broadcast, 0x0800, udp4(forger.ipv4, "255.255.255.255", 67, 68)),
    "a DHCPv6 server's answer": own(allNodes.mac, 0x86dd, udp6(linkLocal, allNodes.ipv6, 547, 546)),
    "a router advertisement": own(allNodes.mac, 0x86dd, icmp6(linkLocal, allNodes.ipv6, 134, Buffer.alloc(12))),
    "a redirect": own(victim.mac, 0x86dd, icmp6(linkLocal, victim.ipv6, 137, Buffer.alloc(36))),
    "a neighbour advertisement for the gateway": own(
      allNodes.mac,
      0x86dd,
      icmp6(forger.ipv6, allNodes.ipv6, 136, gatewayIsHere),
    ),
    "a DHCP server's answer to the victim's address": routed(0x0800, udp4(forger.ipv4, victim.ipv4, 67, 68)),
    "a DHCPv6 server's answer to the victim's address": routed(0x86dd, udp6(forger.ipv6, victim.ipv6, 547, 546)),
    "a router advertisement to the victim's address": routed(
      0x86dd,
      icmp6(forger.ipv6, victim.ipv6, 134, Buffer.alloc(12)),
    ),
    "a redirect to the victim's address": routed(0x86dd, icmp6(forger.ipv6, victim.ipv6, 137, Buffer.alloc(36))),
    "a neighbour advertisement to the victim's address": routed(
      0x86dd,
      icmp6(forger.ipv6, victim.ipv6, 136, gatewayIsHere),
    ),
    "an IPv6 packet from the victim's address": own(gateway.mac, 0x86dd, udp6(victim.ipv6, victim.ipv6, 1, 2)),
    "an IPv6 packet from a strange link-local address": own(
      allRouters.mac,
      0x86dd,
      udp6("fe80::dead", allRouters.ipv6, 1, 2),
    ),
    "an IPv6 packet to the victim's link-local address, which no firewall knows": own(
      gateway.mac,
      0x86dd,
      udp6(forger.ipv6, victimLinkLocal, 1, 2),
    ),
    "a frame with a VLAN tag": own(victim.mac, 0x8100, behind([word(5), word(0x0800)], asNeighbour)),
    "a frame with two VLAN tags": own(
      broadcast,
      0x88a8,
      behind([word(5), word(0x8100), word(6), word(0x0800)], asNeighbour),
    ),
    "a spanning tree's message": own("01:80:c2:00:00:00", 38, behind([Buffer.from([0x42, 0x42, 3, 0, 0, 0, 0, 0])])),
    "an LLDP announcement": own("01:80:c2:00:00:0e", 0x88cc, behind([Buffer.alloc(8)])),
    "an ethertype of no protocol": own(broadcast, 0x9999, behind([Buffer.alloc(8)])),
    "a frame to the victim's MAC past the gateway": own(victim.mac, 0x0800, asNeighbour),
  };
}

/** The same packet as an honest guest sends it. */
export function honestFrame({ forger, victim, gateway }: Parties, mark: string, fromPort = 4000): Buffer {
  const packet = udp4(forger.ipv4, victim.ipv4, fromPort, 5000);
  return from(forger.mac, gateway.mac, 0x0800, packet)(marked(mark, "honest"));
}

/** The honest frame with another destination or source than the forger and the gateway. */
export function withMacs(frame: Buffer, { to, from }: { to?: string; from?: string }): Buffer {
  return Buffer.concat([
    to === undefined ? frame.subarray(0, 6) : macBytes(to),
    from === undefined ? frame.subarray(6, 12) : macBytes(from),
    frame.subarray(12),
  ]);
}

function from(mac: string, to: string, type: number, packet: Forgery): Forgery {
  return (says) => Buffer.concat([macBytes(to), macBytes(mac), word(type), packet(says)]);
}

function behind(head: readonly Buffer[], packet: Forgery = (says) => says): Forgery {
  return (says) => Buffer.concat([...head, packet(says)]);
}

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(":", ""), "hex");
}

function ip4(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

function ip6(address: string): Buffer {
  const [head = "", tail = ""] = address.split("::");
  const words = (text: string) => (text === "" ? [] : text.split(":").map((part) => Number.parseInt(part, 16)));
  const [front, back] = [words(head), words(tail)];
  return Buffer.concat(
    [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back].map(word),
  );
}

function word(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

/** RFC 826. */
function arp(operation: number, senderMac: string, senderIp: string, targetMac: string, targetIp: string): Forgery {
  const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, operation]);
  return behind([head, macBytes(senderMac), ip4(senderIp), macBytes(targetMac), ip4(targetIp)]);
}

/** RFC 791 and 768; the UDP checksum is left out, which 0 says. */
function udp4(source: string, destination: string, fromPort: number, toPort: number): Forgery {
  return (says) => {
    const udp = Buffer.concat([word(fromPort), word(toPort), word(8 + says.length), word(0), says]);
    const head = Buffer.concat([
      Buffer.from([0x45, 0]),
      word(20 + udp.length),
      Buffer.from([0, 0, 0, 0, 64, 17, 0, 0]),
      ip4(source),
      ip4(destination),
    ]);
    head.writeUInt16BE(checksum(head), 10);
    return Buffer.concat([head, udp]);
  };
}

/** RFC 8200. */
function packet6(source: string, destination: string, protocol: number, payload: Buffer): Buffer {
  const head = Buffer.concat([Buffer.from([0x60, 0, 0, 0]), word(payload.length), Buffer.from([protocol, 255])]);
  return Buffer.concat([head, ip6(source), ip6(destination), payload]);
}

function udp6(source: string, destination: string, fromPort: number, toPort: number): Forgery {
  return (says) => {
    const udp = Buffer.concat([word(fromPort), word(toPort), word(8 + says.length), word(0), says]);
    udp.writeUInt16BE(checksum(pseudo6(source, destination, 17, udp)), 6);
    return packet6(source, destination, 17, udp);
  };
}

/** RFC 4861; what it says is in an option that RFC 4727 gives to experiments, whose length counts words of eight bytes. */
function icmp6(source: string, destination: string, type: number, body: Buffer): Forgery {
  return (says) => {
    const words = Math.ceil((2 + says.length) / 8);
    const option = Buffer.concat([Buffer.from([253, words]), says], 8 * words);
    const icmp = Buffer.concat([Buffer.from([type, 0, 0, 0]), body, option]);
    icmp.writeUInt16BE(checksum(pseudo6(source, destination, 58, icmp)), 2);
    return packet6(source, destination, 58, icmp);
  };
}

function pseudo6(source: string, destination: string, protocol: number, payload: Buffer): Buffer {
  return Buffer.concat([
    ip6(source),
    ip6(destination),
    word(0),
    word(payload.length),
    word(0),
    word(protocol),
    payload,
  ]);
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) sum += (bytes[index] ?? 0) * 256 + (bytes[index + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
