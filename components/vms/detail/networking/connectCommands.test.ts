import { describe, expect, test } from "vitest";
import type { VmNetworking } from "../../../../lib/domain/vmNetworking";
import { exampleVm } from "../../shared/exampleVm";
import { connectCommands, connectPromise } from "./connectCommands";

const options = "-o HostKeyAlias=cumulus-1";
const link: VmNetworking["interfaces"][number] = {
  id: "net0",
  network: { id: 1, name: "default", cidr: "192.168.0.0/24" },
  mac: "52:54:00:00:00:02",
  ipv4: "192.168.0.2",
  ipv6: null,
  isLeaving: false,
  whyNotPlugged: null,
  dnsName: "calm-otter.default.internal",
  limit: { ingressBytesPerSecond: null, egressBytesPerSecond: null },
  status: null,
};
const forward = {
  id: 1,
  vmId: 1,
  hostAddress: "0.0.0.0",
  hostPort: 2222,
  protocol: "tcp" as const,
  port: 22,
  whyNot: null,
  warning: null,
};
const codesOf = (
  vm: Parameters<typeof connectCommands>[0],
  networking: Parameters<typeof connectCommands>[1],
  addresses = ["127.0.0.1", "203.0.113.2", "198.51.100.2"],
) => connectCommands(vm, networking, addresses).map(({ code }) => code);

describe("the commands that reach a VM", () => {
  test("with user-mode networks go by the host's port", () => {
    const ssh = { user: "root", host: "127.0.0.1", port: 22_002, options, command: "the command" };
    const vm = exampleVm({ ssh });
    expect(
      codesOf(vm, {
        driver: "user",
        interfaces: [link],
        forwards: [{ ...forward, whyNot: "of the loopback alone", warning: null }],
      }),
    ).toEqual([
      "the command",
      `scp -P 22002 ${options} FILE root@127.0.0.1:`,
      `ssh -N -L 8080:localhost:80 -p 22002 ${options} root@127.0.0.1`,
    ]);
  });

  test("leave out a further interface that the guest has not set up", () => {
    const status = {
      isUp: true,
      receivedBytes: 0,
      receivedPackets: 0,
      sentBytes: 0,
      sentPackets: 0,
      leaseEndsAt: null,
    };
    const further = (isAddressSeen: boolean | null) => ({
      ...link,
      ...{
        id: "net1",
        ipv6: "fd00:0:0:2::2",
        dnsName: "calm-otter.lab.internal",
        status: { ...status, isAddressSeen },
      },
    });
    const pings = (isAddressSeen: boolean | null) =>
      codesOf(exampleVm({}), { driver: "bridge", interfaces: [link, further(isAddressSeen)], forwards: [] }).filter(
        (code) => code.startsWith("ping"),
      );
    expect(pings(null)).toEqual(["ping calm-otter.default.internal"]);
    expect(pings(false)).toEqual(["ping calm-otter.default.internal"]);
    expect(pings(true)).toEqual([
      "ping calm-otter.default.internal",
      "ping calm-otter.lab.internal",
      "ping -6 fd00:0:0:2::2",
    ]);
  });

  test("on a bridge go by its address and its name, and by a forward from elsewhere", () => {
    const ssh = { user: "root", host: "192.168.0.2", port: 22, options, command: "the command" };
    const vm = exampleVm({ ssh });
    const forwards = [forward];
    expect(codesOf(vm, { driver: "bridge", interfaces: [link], forwards })).toEqual([
      "the command",
      `scp ${options} FILE root@192.168.0.2:`,
      `ssh -N -L 8080:localhost:80 ${options} root@192.168.0.2`,
      `ssh -p 2222 ${options} root@203.0.113.2`,
      "ping calm-otter.default.internal",
    ]);
    const unknown = codesOf(vm, { driver: "bridge", interfaces: [link], forwards }, []);
    expect(unknown, "while the host's addresses are not known").toContain(`ssh -p 2222 ${options} root@local`);
    const interfaces = [{ ...link, ipv6: "fd00:0:0:1::c0a8:2" }];
    expect(codesOf(vm, { driver: "bridge", interfaces, forwards: [] }).at(-1)).toBe("ping -6 fd00:0:0:1::c0a8:2");
  });

  test("name the host's address and port of each other forward that is in effect, and from where it works", () => {
    const forwards = [
      { ...forward, port: 80, hostPort: 8080 },
      { ...forward, port: 53, hostPort: 5353, protocol: "udp" as const, hostAddress: "198.51.100.2" },
      { ...forward, hostAddress: "127.0.0.1" },
      { ...forward, port: 81, hostPort: 8081, whyNot: "the host has no such address" },
    ];
    const networking = { driver: "bridge" as const, interfaces: [], forwards };
    expect(connectCommands(exampleVm({}), networking, ["127.0.0.1", "203.0.113.2"]).slice(3)).toEqual([
      { title: "Its port 80 (TCP), from machines that reach local, by port 8080", code: "203.0.113.2:8080" },
      { title: "Its port 53 (UDP), from machines that reach local, by port 5353", code: "198.51.100.2:5353" },
      { title: "Its port 22 (TCP), from local itself, by port 2222", code: "127.0.0.1:2222" },
    ]);
  });

  test("promise no more than the firewalls of a bridge let in", () => {
    expect(connectPromise({ driver: "bridge", firewalls: [1] })).toContain("as far as its firewalls let it in");
    expect(connectPromise({ driver: "bridge", firewalls: [] })).toBe("Each works when pasted where it says.");
    expect(connectPromise({ driver: "user", firewalls: [1] })).toBe("Each works when pasted where it says.");
  });
});
