import { CumulusError } from "../../domain/errors";
import type { NetworkAddress, ReserveAddress } from "../../domain/network";
import { announce } from "../changes";
import type { Context } from "../context";
import { freeReservedAddress, listAddresses, reserveAddress } from "./addresses";
import { getNetworkRow } from "./networks";

/** All addresses of a network that are not free, by number. @throws `not_found` */
export async function listNetworkAddresses(context: Context, id: number): Promise<NetworkAddress[]> {
  return listAddresses(context.db, await getNetworkRow(context.db, id));
}

/** Keeps an address from VMs. @throws `not_found`; `conflict` when it is taken; `bad_request` when it isn't one of the network's */
export async function reserveInNetwork(context: Context, id: number, input: ReserveAddress): Promise<NetworkAddress> {
  const { ipv4, note = "" } = input;
  await context.db.transaction(async (tx) => {
    await reserveAddress(tx, await getNetworkRow(tx, id), ipv4, note);
    await announce(tx, { kind: "network", id });
  });
  const reserved = (await listNetworkAddresses(context, id)).find((one) => one.ipv4 === ipv4);
  if (!reserved) throw new CumulusError("internal", "The address could not be written.");
  return reserved;
}

/** @throws `not_found` unless it is reserved by hand */
export async function freeInNetwork(context: Context, id: number, ipv4: string): Promise<void> {
  await context.db.transaction(async (tx) => {
    await freeReservedAddress(tx, await getNetworkRow(tx, id), ipv4);
    await announce(tx, { kind: "network", id });
  });
}
