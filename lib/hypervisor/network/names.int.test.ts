import { afterAll, beforeAll, expect, test } from "vitest";
import type { NetworkState } from "../../domain/hostNetwork";
import { Lab, type LabNamespace } from "../testing/lab/lab";
import { host, network, resolve } from "../testing/lab/labNetworks";
import { until } from "../testing/until";

const dnsServers = ["203.0.113.1"];
/** What the internet answers for any name. */
const outside = "198.51.100.7";
const one = network(1, [host(1, 1)], { dnsServers });
const shop = network(2, [host(2, 2)], { dnsServers, domain: "com" });
const lab3 = network(3, [{ ...host(1, 3), interfaceId: "net1" }, host(3, 3)], { dnsServers });
const state: NetworkState = { networks: [one, shop, lab3], firewalls: [], limits: [] };

let lab: Lab;
let guests: LabNamespace[];

beforeAll(async () => {
  lab = await Lab.make();
  await lab.startAgent();
  const server = `dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --pid-file= --address=/#/${outside}`;
  await lab.internet.start("sh", ["-c", `echo ready; exec ${server}`]);
  await lab.apply(state);
  guests = await Promise.all([lab.guest(host(1, 1), one), lab.guest(host(2, 2), shop), lab.guest(host(3, 3), lab3)]);
  await until(async () => (await ask(1, "example.org")) === outside, 20_000);
});
afterAll(async () => {
  await lab.close();
});

/** What a VM is told by the name server of its first network, which has the VM's own number. */
async function ask(vm: 1 | 2 | 3, name: string): Promise<string> {
  const guest = guests[vm - 1];
  if (guest === undefined) throw new Error(`There is no guest ${vm}.`);
  return resolve(guest, `192.168.${vm}.1`, name);
}

/** Name servers read what changed a moment after it is applied. */
const expectAsked = (vm: 1 | 2 | 3, name: string) => expect.poll(() => ask(vm, name));

test("a domain that is chosen for a network is taken from the VMs of no other, whether or not that reaches it", async () => {
  await expectAsked(2, "vm2.com").toBe("192.168.2.3");
  await expectAsked(2, "example.com").not.toBe(outside);
  await expectAsked(1, "example.com").toBe(outside);
  await expectAsked(1, "vm2.com").toBe(outside);
  await lab.apply({ ...state, networks: [{ ...one, reaches: [2] }, shop, lab3] });
  await expectAsked(1, "vm2.com").toBe("192.168.2.3");
  await expectAsked(1, "example.com").toBe(outside);
  await lab.apply(state);
  await expectAsked(1, "vm2.com").toBe(outside);
});

test("a VM in two networks finds the VMs of both, and nobody outside is asked for names of private domains", async () => {
  await expectAsked(1, "vm3.net-3.internal").toBe("192.168.3.4");
  await expectAsked(1, "nobody.net-3.internal").toBe("ENOTFOUND");
  await expectAsked(2, "vm3.net-3.internal").toBe("ENOTFOUND");
  await expectAsked(3, "vm1.net-3.internal").toBe("192.168.3.2");
  await expectAsked(3, "vm1.net-1.internal").toBe("ENOTFOUND");
  const unplugged = { ...lab3, hosts: [host(3, 3)] };
  await lab.apply({ ...state, networks: [one, shop, unplugged] });
  await expectAsked(1, "vm3.net-3.internal").toBe("ENOTFOUND");
});
