import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NetworkState, noNetworks } from "../../domain/hostNetwork";
import { Lab } from "../../hypervisor/testing/lab/lab";
import { get, host, network } from "../../hypervisor/testing/lab/labNetworks";
import { until } from "../../hypervisor/testing/until";
import { projectDir } from "../../paths";

let lab: Lab;
const ssh = { protocol: "tcp" as const, ports: [{ from: 22, to: 22 }], cidrs: ["203.0.113.0/24", "fd00:1::/32"] };
const forward = { protocol: "tcp" as const, ipv4: "192.168.1.2", port: 22 };
const state: NetworkState = {
  networks: [
    network(1, [host(1, 1), host(2, 1)], {
      forwards: [
        { ...forward, hostAddress: "0.0.0.0", hostPort: 2222 },
        { ...forward, hostAddress: "203.0.113.2", hostPort: 2223 },
      ],
    }),
    network(2, []),
  ],
  firewalls: [{ vmId: 1, interfaceId: "net0", ingress: [ssh], egress: null }],
  limits: [
    { vmId: 1, interfaceId: "net0", ingressBytesPerSecond: 1_250_000, egressBytesPerSecond: 2_000_000 },
    { vmId: 2, interfaceId: "net0", ingressBytesPerSecond: null, egressBytesPerSecond: 3_000_000 },
  ],
};

beforeAll(async () => {
  lab = await Lab.make();
  await applyAnew();
});
afterAll(() => lab.close());

/** Has an agent put all right, and ends it: it would do so again with what the tests make wrong. */
async function applyAnew(): Promise<void> {
  await lab.startAgent();
  await lab.apply(state);
  await lab.killAgent();
}

/** @param wrapper runs its arguments as a program */
async function told(env: Record<string, string> = {}, wrapper: string[] = []): Promise<string[]> {
  const program = join(projectDir, "lib", "doctor", "testing", "lookAtNetworks.ts");
  const { dataDir, runDir } = lab.settings;
  const argv = [process.execPath, "--import", "tsx", program, JSON.stringify({ dataDir, runDir })];
  const { stdout } = await execa("nsenter", [`--net=${lab.host.path}`, "--", ...wrapper, ...argv], {
    cwd: projectDir,
    env,
  });
  return JSON.parse(stdout);
}

async function replaceIn(path: string, text: string, other: string): Promise<void> {
  await writeFile(path, (await readFile(path, "utf8")).replace(text, other));
}

test("of networks as the agent makes them nothing is told, nor of what packets left in their rules", async () => {
  const key = "52:54:00:00:01:02 . 192.168.1.3 . 192.168.1.2 . 1000 . 80";
  await lab.inner.run("nft", ["add", "element", "bridge", "cumulus", "tcp4", `{ ${key} }`]);
  await get(lab.internet, "203.0.113.2", 2223, 500);
  expect(await told()).toEqual([]);
});

interface Tampering {
  on: "namespace" | "host";
  /** `HOST` is the host's link and table, `NS` the namespace. */
  command: string;
  told: string;
}

const firewallsAndForwards: Tampering[] = [
  {
    on: "namespace",
    command: "nft flush map inet cumulus ingress4",
    told: 'The map ingress4 of the nft table inet cumulus in NS lacks "192.168.1.2 : jump ingress_t1n0": ',
  },
  {
    on: "namespace",
    command: "nft flush chain inet cumulus ingress_t1n0",
    told: "The chain ingress_t1n0 of the nft table inet cumulus in NS lacks ",
  },
  {
    on: "namespace",
    command: "nft flush set inet cumulus forwards",
    told: 'The set forwards of the nft table inet cumulus in NS lacks "192.168.1.2 . tcp . 22": ',
  },
  {
    on: "host",
    command: "nft flush map inet HOST forwards_any",
    told: 'The map forwards_any of the nft table inet HOST of the host lacks "tcp . 2222 : 192.168.1.2 . 22": ',
  },
  {
    on: "namespace",
    command: "nft add chain inet cumulus theirs",
    told: "The chain theirs of the nft table inet cumulus in NS is none that Cumulus makes: ",
  },
  {
    on: "namespace",
    command: "tc qdisc delete dev t1n0 root",
    told: "VM id 1 shall receive at most 1250000 bytes per second by t1n0, and tc in NS lets it receive without a limit: ",
  },
];
const isolationAndLimits: Tampering[] = [
  {
    on: "namespace",
    command: "nft insert rule inet cumulus forward accept",
    told: `The chain forward of the nft table inet cumulus in NS has "accept", which is not of Cumulus' making: `,
  },
  {
    on: "namespace",
    command: "nft chain bridge cumulus guard { policy accept ; }",
    told: "The chain guard of the nft table bridge cumulus in NS lacks ",
  },
  {
    on: "namespace",
    command: "nft flush chain bridge cumulus rate_t2n0",
    told: "The chain rate_t2n0 of the nft table bridge cumulus in NS lacks ",
  },
  { on: "host", command: "nft delete table inet HOST", told: "The nft table inet HOST of the host is gone, " },
  {
    on: "namespace",
    command: "tc qdisc replace dev t1n0 root tbf rate 1000000bps burst 131072 latency 100ms",
    told: "VM id 1 shall receive at most 1250000 bytes per second by t1n0, and tc in NS lets it receive 1000000 bytes per second: ",
  },
  {
    on: "namespace",
    command: "tc qdisc replace dev t2n0 root tbf rate 1000000bps burst 131072 latency 100ms",
    told: "tc in NS limits t2n0 to 1000000 bytes per second, which nobody asked for: ",
  },
];

test.each([
  ["firewalls and forwards", firewallsAndForwards],
  ["isolation and limits", isolationAndLimits],
])(
  "each tampering with %s is told, once, until it is put right",
  async (_what, tamperings) => {
    const { hostLink, namespace } = lab.names;
    const named = (text: string) => text.replace("HOST", hostLink).replace("NS", namespace);
    for (const { on, command } of tamperings) {
      const [program = "", ...args] = named(command).split(" ");
      await (on === "host" ? lab.host : lab.inner).run(program, args);
    }
    const messages = await told();
    for (const tampering of tamperings) {
      expect(messages).toContainEqual(expect.stringContaining(named(tampering.told)));
    }
    expect(messages).toHaveLength(tamperings.length);
    await applyAnew();
    expect(await told()).toEqual([]);
  },
  120_000,
);

test("what is missing and what is too much is told", async () => {
  await lab.inner.ip(
    "link delete dev t2n0",
    "tuntap add dev t9n0 mode tap",
    "link add dev stray type veth peer name strayed",
    "link set dev t1n0 type bridge_slave isolated on",
  );
  await lab.inner.run("nft", [
    "add",
    "element",
    "bridge",
    "cumulus",
    "ipv4",
    "{ t1n0 . 52:54:00:00:00:09 . 192.168.1.3 }",
  ]);
  await lab.host.ip("route delete 192.168.2.0/24");
  await lab.host.run("tee", ["/proc/sys/net/ipv4/ip_forward"], "0");
  const messages = await told();
  for (const what of [
    /t2n0 .* is gone/,
    /t9n0 .* belongs to no network/,
    /stray .* belongs to no network/,
    /strayed .* belongs to no network/,
    /ip_forward is 0/,
    /t1n0 .* cut off from the others/,
    /let t1n0 52:54:00:00:00:09 192\.168\.1\.3 send/,
    /no route to 192\.168\.2\.0/,
  ]) {
    expect(messages).toContainEqual(expect.stringMatching(what));
  }
  expect(messages).toHaveLength(8);
  // What is nobody's the agent leaves, unless it has the name of one of its own.
  await lab.inner.ip("link delete dev stray");
});

test("leases that no VM should have, and what name servers read that is not as the networks are, are told", async () => {
  await applyAnew();
  const folder = join(lab.settings.runDir, "network", "1");
  const end = Math.floor(Date.now() / 1000) + 540;
  const [first, second] = [host(1, 1), host(2, 1)];
  const leases = [
    `${end} ${first.mac} ${first.ipv4} vm1 *`,
    `${end} ${second.mac} 192.168.1.77 vm2 *`,
    `${end} 52:54:00:00:09:09 192.168.1.78 * *`,
    // One that has ended.
    `${end - 600} 52:54:00:00:09:09 192.168.1.79 * *`,
  ];
  await writeFile(join(folder, "leases"), `${leases.join("\n")}\n`);
  await replaceIn(join(folder, "dhcp-hosts"), first.ipv4, "192.168.1.99");
  await replaceIn(join(folder, "hosts"), `${second.ipv4} vm2.net-1.internal vm2\n`, "");
  await rm(join(lab.settings.runDir, "network", "2", "hosts"));
  const line = (ipv4: string) => `"${first.mac},${ipv4},[${first.ipv6}],vm1"`;
  const names = `has its names and addresses, `;
  expect(await told()).toEqual([
    expect.stringContaining(`The address 192.168.1.77 is leased to ${second.mac} of VM id 2, whose address is `),
    expect.stringContaining("The address 192.168.1.78 is leased to 52:54:00:00:09:09, which no VM has"),
    expect.stringContaining(
      `${folder}/hosts, by which network 1 ${names}lacks "${second.ipv4} vm2.net-1.internal vm2"`,
    ),
    expect.stringContaining(
      `${folder}/dhcp-hosts, by which network 1 ${names}lacks ${line(first.ipv4)} and has ${line("192.168.1.99")}`,
    ),
    expect.stringContaining(`2/hosts, by which network 2 ${names}can't be read`),
  ]);
  // Whoever wrote leases is to take them away; the rest the agent puts right.
  await writeFile(join(folder, "leases"), "");
  await applyAnew();
  expect(await told()).toEqual([]);
}, 120_000);

test("a firewall of the host that drops VMs' traffic, for our rules in it are gone, is told until they are back", async () => {
  const filter = "table ip filter { chain FORWARD { type filter hook forward priority filter; policy drop; }; }";
  await lab.host.run("nft", ["-f", "-"], filter);
  await lab.host.run("iptables-legacy", ["--wait", "-P", "FORWARD", "DROP"]);
  await applyAnew();
  expect(await told()).toEqual([]);
  await lab.host.run("nft", ["flush", "chain", "ip", "filter", "FORWARD"]);
  await lab.host.run("iptables-legacy", ["--wait", "-F", "FORWARD"]);
  expect(await told()).toEqual([
    expect.stringMatching(/^The chain FORWARD of the nft table ip filter of this host drops what VMs send and get, /),
    expect.stringMatching(/^The chain FORWARD of iptables-legacy \(IPv4\) of this host drops /),
  ]);
  await applyAnew();
  expect(await told()).toEqual([]);
}, 120_000);

test("a firewall of the host that can't be looked at is told: its lock is held, or its program can't be run", async () => {
  await lab.host.run("iptables-legacy", ["--wait", "-P", "FORWARD", "DROP"]);
  await applyAnew();
  expect(await told()).toEqual([]);
  const unseen = (firewall: string, why: string) =>
    expect.stringMatching(`^The firewall of ${firewall} on this host could not be looked at, .*: .*${why}`);
  const legacy = "iptables-legacy \\(IPv4\\)";
  const lock = join(lab.settings.dataDir, "xtables.lock");
  await lab.host.start("flock", ["--no-fork", lock, "sh", "-c", "echo ready; exec sleep infinity"]);
  expect(await told({ XTABLES_LOCKFILE: lock })).toEqual([unseen(legacy, "lock")]);
  const without = (program: string) => {
    const script = `mount --bind /dev/null "$(command -v ${program})" && exec "$@"`;
    return told({}, ["unshare", "--mount", "sh", "-c", script, "sh"]);
  };
  expect(await without("iptables-legacy")).toEqual([unseen(legacy, "EACCES")]);
  expect(await without("nft")).toContainEqual(unseen("nft", "EACCES"));
}, 120_000);

test("a namespace that is gone is told; one that no network has any more too, with all that is left on the host, and how to remove it", async () => {
  const { hostLink, namespace } = lab.names;
  await applyAnew();
  await execa("ip", ["netns", "delete", namespace]);
  expect(await told()).toEqual([expect.stringContaining(`The network namespace ${namespace} is gone: `)]);
  await applyAnew();
  expect(await told()).toEqual([]);
  await writeFile(join(lab.settings.dataDir, "networks.json"), JSON.stringify(noNetworks));
  const left = await told();
  const commands = left.map((message) => /\((.*)\) is left\.$/.exec(message)?.[1] ?? message);
  expect(commands.map((command) => command.replace(/(handle|kill) \d+$/, "$1 N")).sort()).toEqual(
    [
      `ip link delete ${hostLink}`,
      `ip netns delete ${namespace}`,
      `iptables-legacy -D FORWARD -i ${hostLink} -j ACCEPT`,
      `iptables-legacy -D FORWARD -o ${hostLink} -j ACCEPT`,
      "kill N",
      "kill N",
      `nft delete table inet ${hostLink}`,
      "nft delete rule ip filter FORWARD handle N",
      "nft delete rule ip filter FORWARD handle N",
    ].sort(),
  );
  // The link goes with its other end, in the namespace.
  for (const command of commands.filter((one) => !one.startsWith("ip link"))) {
    await lab.host.run("sh", ["-c", command]);
  }
  await until(async () => (await told()).length === 0, 20_000);
}, 120_000);
