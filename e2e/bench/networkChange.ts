import type { NetworkState } from "../../lib/domain/hostNetwork";
import { Lab } from "../../lib/hypervisor/testing/lab/lab";
import { host, network } from "../../lib/hypervisor/testing/lab/labNetworks";
import type { Benchmark, Figure, Skipped } from "./benchmark";
import { sampleOf } from "./stats";

const rounds = 9;
const vmCount = 200;

/** How long a host with many VMs takes over a small change, its VMs' traffic undisturbed. */
export const networkChange: Benchmark = {
  name: "network-change",
  what: `time until a host with ${vmCount} VMs has another network, or a rule in a firewall, against one with a single VM`,
  measure: async (note) => (process.getuid?.() === 0 ? measureAll(note) : [skipped()]),
};

interface Changes {
  networkMs: number[];
  /** Of a firewall that one of the VMs has. */
  ruleMs: number[];
  /** Of one that all have. */
  sharedRuleMs: number[];
}

async function measureAll(note: (text: string) => void): Promise<Figure[]> {
  const many = await Bed.make(vmCount);
  try {
    const one = await Bed.make(1);
    try {
      for (let round = 0; round < rounds; round++) {
        note(`round ${round + 1} of ${rounds}`);
        for (const bed of [many, one]) await bed.measure();
      }
      const figure = (name: string, change: keyof Changes): Figure => ({
        name,
        unit: "ms",
        value: sampleOf(many.changes[change]),
        baseline: { what: "beside 1 VM", value: sampleOf(one.changes[change]) },
      });
      return [
        figure(`another network beside ${vmCount} VMs`, "networkMs"),
        figure(`a firewall rule among ${vmCount} VMs'`, "ruleMs"),
        figure(`a rule of a firewall that ${vmCount} VMs have`, "sharedRuleMs"),
      ];
    } finally {
      await one.close();
    }
  } finally {
    await many.close();
  }
}

/** A host of its own with so many VMs, each with a firewall while a rule is changed. */
class Bed {
  readonly changes: Changes = { networkMs: [], ruleMs: [], sharedRuleMs: [] };

  private constructor(
    private readonly lab: Lab,
    private readonly state: NetworkState,
  ) {}

  static async make(vms: number): Promise<Bed> {
    const lab = await Lab.make();
    try {
      await lab.startAgent();
      const hosts = Array.from({ length: vms }, (_, index) => host(index + 1, 1));
      const state: NetworkState = { networks: [network(1, hosts)], firewalls: [], limits: [] };
      await lab.apply(state);
      return new Bed(lab, state);
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  async measure(): Promise<void> {
    const { state } = this;
    const rule = { protocol: "tcp" as const, ports: [{ from: 22, to: 22 }], cidrs: [] };
    const hosts = state.networks.flatMap(({ hosts }) => hosts);
    const firewalls = hosts.map(({ vmId }) => ({ vmId, interfaceId: "net0", ingress: [rule], egress: null }));
    this.changes.networkMs.push(await this.timed({ ...state, networks: [...state.networks, network(2, [])] }));
    await this.lab.apply({ ...state, firewalls });
    const wider = firewalls.map((one) => ({ ...one, ingress: [rule, { ...rule, protocol: "udp" as const }] }));
    const oneWider = [...wider.slice(0, 1), ...firewalls.slice(1)];
    this.changes.ruleMs.push(await this.timed({ ...state, firewalls: oneWider }));
    await this.lab.apply({ ...state, firewalls });
    this.changes.sharedRuleMs.push(await this.timed({ ...state, firewalls: wider }));
    await this.lab.apply(state);
  }

  close(): Promise<void> {
    return this.lab.close();
  }

  private async timed(state: NetworkState): Promise<number> {
    const startMs = performance.now();
    await this.lab.apply(state);
    return performance.now() - startMs;
  }
}

function skipped(): Skipped {
  return { name: networkChange.name, skipped: "Networks are made by root: run it as root." };
}
