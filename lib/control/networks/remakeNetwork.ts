import { randomBytes } from "node:crypto";
import { and, eq } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { addresses } from "../../db/schema/vmNetworking";
import type { NetworkStatus } from "../../domain/hostNetwork";
import { defaultGatewayOf, ipv4ToNumber, rangeOf } from "../../domain/ipv4";
import {
  dnsServersProblem,
  gatewayProblem,
  type Network,
  rangeProblem,
  type UpdateNetwork,
} from "../../domain/network";
import { listAddresses, type NetworkRow, vmsLeftOutside } from "./addresses";
import { defaultDomainOf, refuseDomain, refused, refuseOccupied, refuseOverlap, vmsIn, wrong } from "./networkChecks";

type Shape = Pick<NetworkRow, "cidr" | "gateway">;
type Remade = Partial<Pick<NetworkRow, "cidr" | "gateway" | "domain" | "ipv6Cidr" | "rangeFirst" | "rangeLast">>;

/**
 * What a change makes of a network's range, gateway, domain and IPv6. VMs have all of them in their seeds and leases, so they change only while no VM is in the
 * network; addresses that wait outside of a new range for the end of their quarantine are let go of, as nobody is given them there.
 * @param host what it has routes to; undefined where no new range is asked for
 * @throws `conflict` while VMs or addresses that are kept hold what is to change, or others have what it is to be; `bad_request`
 */
export async function remakeNetwork(
  tx: Queryable,
  row: NetworkRow,
  input: UpdateNetwork,
  host: Pick<NetworkStatus, "occupiedCidrs"> | undefined,
): Promise<Remade> {
  const shape = shapeAfter(row, input);
  const fields = changedFields(row, shape, input);
  if (fields.length > 0) await refuseWhileInUse(tx, row, fields);
  if (shape.cidr !== row.cidr) {
    if (!host) throw refused("cidr", `The network ${row.name} was changed meanwhile. Try again.`);
    refuseOccupied(host, shape.cidr);
    await refuseOverlap(tx, shape.cidr, row.id);
  }
  const isMoved = shape.cidr !== row.cidr || shape.gateway !== row.gateway;
  if (isMoved) await refuseGateway(tx, row, shape, input);
  const unanswering = dnsServersProblem(shape.cidr, shape.gateway, input.dnsServers ?? (isMoved ? row.dnsServers : []));
  if (unanswering !== undefined) throw wrong("dnsServers", unanswering);
  const range = await rangeAfter(tx, row, shape, input.range);
  if (isMoved) await letGoOutside(tx, row, shape);
  return {
    ...(isMoved && shape),
    ...range,
    ...(await domainAfter(tx, row, input)),
    ...(input.ipv6 === true && row.ipv6Cidr === null && { ipv6Cidr: uniqueLocalCidr() }),
    ...(input.ipv6 === false && { ipv6Cidr: null }),
  };
}

/** A random prefix of 64 bits (RFC 4193, section 3.2). */
export function uniqueLocalCidr(): string {
  const [a, b, c] = [0, 2, 4].map((at) => randomBytes(6).readUInt16BE(at).toString(16));
  return `fd${randomBytes(1).toString("hex")}:${a}:${b}:${c}::/64`;
}

/** With a new range comes its first address as the gateway, unless one is asked for. */
function shapeAfter(row: NetworkRow, { cidr = row.cidr, gateway }: UpdateNetwork): Shape {
  return { cidr, gateway: gateway ?? (cidr === row.cidr ? row.gateway : defaultGatewayOf(cidr)) };
}

/** What of the input is another than the network has, of what VMs know. */
function changedFields(row: NetworkRow, shape: Shape, { domain = row.domain, ipv6 }: UpdateNetwork) {
  const isChanged = {
    cidr: shape.cidr !== row.cidr,
    gateway: shape.cidr === row.cidr && shape.gateway !== row.gateway,
    domain: domain !== row.domain,
    ipv6: ipv6 === false && row.ipv6Cidr !== null,
  };
  return (["cidr", "gateway", "domain", "ipv6"] as const).filter((field) => isChanged[field]);
}

const words = { cidr: "range", gateway: "gateway", domain: "domain", ipv6: "IPv6" };

/** Named in a refusal: more would bury what to do. */
const namedCount = 3;

async function refuseWhileInUse(tx: Queryable, row: NetworkRow, fields: (keyof typeof words)[]): Promise<void> {
  const [field] = fields;
  if (field === undefined) return;
  const inside = (await vmsIn(tx, row.id)).map(({ name }) => name).sort();
  if (inside.length > 0) {
    const change = field === "ipv6" ? "Its IPv6 can't be switched off" : `Its ${words[field]} can't change`;
    throw refused(
      field,
      `${change} while VMs are in ${row.name}: ${firstOf(inside)}. Destroy them or unplug their interfaces first.`,
    );
  }
  const moving = fields.find((one) => one === "cidr" || one === "gateway");
  if (moving === undefined) return;
  const kept = (await listAddresses(tx, row)).filter(({ kind }) => kind === "reserved").map(({ ipv4 }) => ipv4);
  if (kept.length === 0) return;
  throw refused(
    moving,
    `Its ${words[moving]} can't change while addresses of ${row.name} are reserved: ${firstOf(kept)}. Free them first.`,
  );
}

function firstOf(names: readonly string[]): string {
  const rest = names.length - namedCount;
  return `${names.slice(0, namedCount).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

async function refuseGateway(
  tx: Queryable,
  row: NetworkRow,
  { cidr, gateway }: Shape,
  input: UpdateNetwork,
): Promise<void> {
  const problem = gatewayProblem(cidr, gateway);
  if (problem !== undefined) throw wrong("gateway", problem);
  // What still talks to the VM that had it would talk to the router, and the DHCP server holds a lease of it.
  const waiting = (await listAddresses(tx, row)).find(({ kind, ipv4 }) => kind === "quarantined" && ipv4 === gateway);
  if (waiting === undefined) return;
  const advice = input.gateway === undefined ? "Name another as the gateway" : "Choose another gateway";
  throw refused("gateway", `${waiting.vm?.name} had ${gateway}, and it is free again at ${waiting.freeAt}. ${advice}.`);
}

async function rangeAfter(
  tx: Queryable,
  row: NetworkRow,
  { cidr, gateway }: Shape,
  asked: Network["range"] | undefined,
): Promise<Remade> {
  const isMoved = cidr !== row.cidr || gateway !== row.gateway;
  const { rangeFirst, rangeLast } = row;
  const present = rangeFirst !== null && rangeLast !== null ? { first: rangeFirst, last: rangeLast } : null;
  const range = asked === undefined ? present : asked;
  // One from before a rule stays as long as it isn't touched.
  const isSame = range?.first === present?.first && range?.last === present?.last;
  if (isSame && !isMoved) return {};
  const problem = range ? rangeProblem(cidr, gateway, range) : undefined;
  if (problem !== undefined) throw wrong("range", problem);
  const after = { rangeFirst: range?.first ?? null, rangeLast: range?.last ?? null };
  // No VM is in a network that moves.
  const outside = isMoved ? [] : await vmsLeftOutside(tx, row, after);
  if (outside.length === 0) return after;
  const named = outside.map(({ ipv4, vm }) => `${ipv4} (${vm?.name})`).join(", ");
  throw refused("range", `VMs have addresses that would be outside: ${named}. Choose a range that holds them.`);
}

/** One that was not chosen goes with the name. */
async function domainAfter(tx: Queryable, row: NetworkRow, { name = row.name, domain }: UpdateNetwork) {
  if (domain !== undefined) {
    if (domain !== row.domain) await refuseDomain(tx, "domain", domain, row.id);
    return { domain };
  }
  if (name === row.name || row.domain !== defaultDomainOf(row.name)) return {};
  const following = defaultDomainOf(name);
  await refuseDomain(tx, "name", following, row.id);
  return { domain: following };
}

/** Of addresses in quarantine, those within the new range wait for its end there. */
async function letGoOutside(tx: Queryable, row: NetworkRow, { cidr }: Shape): Promise<void> {
  const { first, last } = rangeOf(cidr);
  for (const { ipv4, kind } of await listAddresses(tx, row)) {
    const value = ipv4ToNumber(ipv4);
    if (kind !== "quarantined" || (value > first && value < last)) continue;
    await tx.delete(addresses).where(and(eq(addresses.networkId, row.id), eq(addresses.ipv4, ipv4)));
  }
}
