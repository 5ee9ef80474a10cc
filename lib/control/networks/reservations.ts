import { CumulusError } from "../../domain/errors";
import { ipv6GatewayOf, ipv6Of } from "../../domain/ipv6";
import type { NetworkAddress, ReserveAddress } from "../../domain/network";
import { announce } from "../changes";
import type { Context } from "../context";
import { freeReservedAddress, listAddresses, reserveAddress } from "./addresses";
import { networkDriverOf } from "./driver";
import { reserveMac } from "./macs";
import { getNetworkRow, holdNetworkById } from "./networks";

/** All addresses of a network that are not free, by number. @throws `not_found` */
export async function listNetworkAddresses(context: Context, id: number): Promise<NetworkAddress[]> {
  const network = await getNetworkRow(context.db, id);
  const isBridged = (await networkDriverOf(context.db))?.driver === "bridge";
  const ipv6Cidr = isBridged ? network.ipv6Cidr : null;
  return (await listAddresses(context.db, network)).map((address) => {
    const isGateway = address.kind === "gateway" && ipv6Cidr !== null;
    return { ...address, ipv6: isGateway ? ipv6GatewayOf(ipv6Cidr) : ipv6Of(ipv6Cidr, address.ipv4) };
  });
}

/**
 * Keeps an address from VMs; with a MAC, from all that do not ask for it.
 * @throws `not_found`; `conflict` when the address or the MAC is taken; `bad_request` when the address isn't one of the network's
 */
export async function reserveInNetwork(context: Context, id: number, input: ReserveAddress): Promise<NetworkAddress> {
  const { ipv4, note = "", mac } = input;
  await context.db.transaction(async (tx) => {
    await reserveAddress(tx, await holdNetworkById(tx, id), ipv4, note);
    // After the address, as where a VM takes both: so neither waits for the other.
    if (mac !== undefined) await reserveMac(tx, id, ipv4, mac);
    await announce(tx, { kind: "network", id });
  });
  const reserved = (await listNetworkAddresses(context, id)).find((one) => one.ipv4 === ipv4);
  if (!reserved) throw new CumulusError("internal", "The address could not be written.");
  return reserved;
}

/** Ends a reservation: a VM that has its address and MAC keeps them. @throws `not_found` unless it is reserved by hand */
export async function freeInNetwork(context: Context, id: number, ipv4: string): Promise<void> {
  await context.db.transaction(async (tx) => {
    await freeReservedAddress(tx, await getNetworkRow(tx, id), ipv4);
    await announce(tx, { kind: "network", id });
  });
}
