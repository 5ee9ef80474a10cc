import type { HostNetwork, NetworkState } from "../../lib/domain/hostNetwork";
import { Lab } from "../../lib/hypervisor/testing/lab/lab";
import { host, network } from "../../lib/hypervisor/testing/lab/labNetworks";
import type { Benchmark, Figure, Skipped } from "./benchmark";
import { sampleOf } from "./stats";

const rounds = 9;
const vmCount = 200;

/** How long a host with many VMs takes over a small change, its VMs' traffic undisturbed. */
export const networkChange: Benchmark = {
  name: "network-change",
  what: `time until a host with ${vmCount} VMs has another network, or a rule in a firewall`,
  measure: async (note) => (process.getuid?.() === 0 ? measureAll(note) : [skipped()]),
};

async function measureAll(note: (text: string) => void): Promise<Figure[]> {
  const lab = await Lab.make();
  try {
    await lab.startAgent();
    const hosts = Array.from({ length: vmCount }, (_, index) => host(index + 1, 1));
    const state: NetworkState = { networks: [network(1, hosts)], firewalls: [], limits: [] };
    note(`${vmCount} interfaces`);
    await lab.apply(state);
    const timed = async (change: NetworkState) => {
      const startMs = performance.now();
      await lab.apply(change);
      return performance.now() - startMs;
    };
    const rule = { protocol: "tcp" as const, ports: [{ from: 22, to: 22 }], cidrs: [] };
    const closed = {
      ...state,
      firewalls: hosts.map(({ vmId }) => ({ vmId, interfaceId: "net0", ingress: [rule], egress: null })),
    };
    const added: HostNetwork = network(2, []);
    const [networkMs, ruleMs]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      note(`round ${round + 1} of ${rounds}`);
      networkMs.push(await timed({ ...state, networks: [...state.networks, added] }));
      await lab.apply(closed);
      const [first, ...others] = closed.firewalls;
      ruleMs.push(
        await timed({
          ...closed,
          firewalls: first ? [{ ...first, ingress: [rule, { ...rule, protocol: "udp" }] }, ...others] : [],
        }),
      );
      await lab.apply(state);
    }
    return [
      { name: `another network beside ${vmCount} VMs`, unit: "ms", value: sampleOf(networkMs) },
      { name: `a firewall rule among ${vmCount} VMs'`, unit: "ms", value: sampleOf(ruleMs) },
    ];
  } finally {
    await lab.close();
  }
}

function skipped(): Skipped {
  return { name: networkChange.name, skipped: "Networks are made by root: run it as root." };
}
