import { interfaceKey, type NetworkState } from "../../domain/hostNetwork";
import type { Disagreement, NetworkFact, Snapshot } from "../snapshot";
import { nameOfId, tellOfNetworks as tell } from "./words";

const isApplied =
  "the console has its host do that within a few minutes, if both run: see npm run up, then the log of the console.";

/** The networks, firewalls, forwards and limits that the host was told of last are those of the database, but for VMs that are under way. */
export function checkAskedNetworks(snapshot: Snapshot, { written }: NetworkFact): Disagreement[] {
  const { askedNetworks } = snapshot;
  if (askedNetworks === null) return [];
  const moving = movingAddresses(snapshot, [askedNetworks, written]);
  const isSettled = ({ text }: Part) => !moving.some((address) => text.includes(`"${address}`));
  const asked = partsOf(snapshot, askedNetworks);
  const known = partsOf(snapshot, written);
  return [...new Set([...asked.keys(), ...known.keys()])].flatMap((name) => {
    const [wanted, present] = [asked.get(name), known.get(name)];
    const both = [wanted, present].filter((part) => part !== undefined);
    if (wanted?.text === present?.text || !both.every(isSettled)) return [];
    return [tell(`asked ${name}`, `${name} ${whatIsWrong(wanted, present)}: ${isApplied}`)];
  });
}

interface Part {
  /** What it is, so that the same is the same text. */
  text: string;
}

function whatIsWrong(wanted: Part | undefined, present: Part | undefined): string {
  if (present === undefined) return "is in the database, and its host was never told of it";
  return wanted === undefined
    ? "is not in the database any more, and its host has it still (networks.json)"
    : "is otherwise in the database than its host was told last (networks.json)";
}

/** What a state says, one by one, by how each is called in a sentence. */
function partsOf(snapshot: Snapshot, { networks, firewalls, limits }: NetworkState): Map<string, Part> {
  const hosts = new Map(networks.flatMap((network) => network.hosts).map((host) => [interfaceKey(host), host]));
  const of = ({ vmId, interfaceId }: { vmId: number; interfaceId: string }) =>
    `${interfaceId} of ${nameOfId(snapshot, vmId)}`;
  /** With the address, by which it is known whose it is. */
  const ofHost = (one: { vmId: number; interfaceId: string }) => ({ ...one, at: hosts.get(interfaceKey(one))?.ipv4 });
  const found: [name: string, what: unknown][] = [
    ...networks.map(({ hosts: _hosts, forwards: _forwards, ...network }): [string, unknown] => [
      `The network ${network.name} (id ${network.id})`,
      network,
    ]),
    ...networks.flatMap(({ id, hosts: links, forwards }): [string, unknown][] => [
      ...links.map((host): [string, unknown] => [`The interface ${of(host)}`, { ...host, id }]),
      ...forwards.map((forward): [string, unknown] => [
        `The forward of ${forward.hostAddress}:${forward.hostPort}/${forward.protocol}`,
        forward,
      ]),
    ]),
    ...firewalls.map((firewall): [string, unknown] => [`The firewall on ${of(firewall)}`, ofHost(firewall)]),
    ...limits.map((limit): [string, unknown] => [`The limit on ${of(limit)}`, ofHost(limit)]),
  ];
  return new Map(found.map(([name, what]) => [name, { text: canonical(what) }]));
}

/** Of VMs that are not, and not given up, where they are wanted, or that are gone: their networks follow. */
function movingAddresses({ vms }: Snapshot, states: readonly NetworkState[]): string[] {
  const moving = new Set(vms.filter(({ isUnderWay }) => isUnderWay).map(({ id }) => id));
  const hosts = states.flatMap(({ networks }) => networks.flatMap((network) => network.hosts));
  return [...new Set(hosts.filter(({ vmId }) => moving.has(vmId)).map(({ ipv4 }) => ipv4))].flatMap((ipv4) => [
    `${ipv4}"`,
    `${ipv4}/32"`,
  ]);
}

/** The same text for what says the same: rows of the database, and so rules, come in any order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).sort().join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join()}}`;
}
