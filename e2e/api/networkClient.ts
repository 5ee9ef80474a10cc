import { expect } from "vitest";
import type { NetworkStatus } from "../../lib/domain/hostNetwork";
import type { Network, NetworkAddress } from "../../lib/domain/network";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import type { VmNetworking } from "../../lib/domain/vmNetworking";
import { type Stack, until } from "../stack";

export interface Problem {
  code: string;
  detail: string;
  fields?: Record<string, string>;
}

export interface List<T> {
  items: T[];
}

export const times = <T>(count: number, act: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)));

/** What tests of networks ask of a stack. */
export function networkClient(stack: Stack) {
  const create = (name: string, rest: object = {}, query = "") =>
    stack.api<Vm & Problem>("POST", `/api/vms${query}`, { name, image: "mini", size: "nano", ...rest });

  async function settled(operationId: number): Promise<Operation> {
    const read = async () => (await stack.api<Operation>("GET", `/api/operations/${operationId}`)).body;
    await until("the operation ended", async () => (await read()).finishedAt !== null);
    return read();
  }

  return {
    create,
    createReady: async (name: string, rest: object = {}) => (await create(name, rest, "?wait=ready")).body,
    createNetwork: (name: string, cidr: string, rest: object = {}) =>
      stack.api<Network & Problem>("POST", "/api/networks", { name, cidr, ...rest }),
    addressesOf: async (network: Network) =>
      (await stack.api<List<NetworkAddress>>("GET", `/api/networks/${network.id}/addresses`)).body.items,
    networkingOf: async (vm: Vm) => (await stack.api<VmNetworking>("GET", `/api/vms/${vm.id}/networking`)).body,

    /** Asks, and waits until it is done. */
    act: async (method: string, path: string, body?: object): Promise<Operation> => {
      const { status, body: operation } = await stack.api<Operation>(method, path, body);
      expect(status).toBe(202);
      return settled(operation.id);
    },

    /** Waits until what the host holds of networks is as the test wants it. */
    hostHas: (what: string, holds: (status: NetworkStatus) => boolean) =>
      until(what, async () => holds(await stack.agent.networkStatus())),
  };
}
