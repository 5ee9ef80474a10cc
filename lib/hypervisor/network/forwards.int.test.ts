import { afterAll, beforeAll, expect, test } from "vitest";
import type { NetworkState } from "../../domain/hostNetwork";
import { Lab, LabNamespace } from "../testing/lab/lab";
import { datagramClient, dripClient, get, host, network, serve, silenceMs } from "../testing/lab/labNetworks";
import { until, untilQuiet } from "../testing/until";

let lab: Lab;
let a: LabNamespace;
let b: LabNamespace;
let c: LabNamespace;

const one = network(1, [host(1, 1), host(2, 1)]);
const two = network(2, [host(3, 2)]);
const state: NetworkState = { networks: [one, two], firewalls: [], limits: [] };

beforeAll(async () => {
  lab = await Lab.make();
  await lab.startAgent();
  await lab.apply(state);
  [a, b, c] = await Promise.all([lab.guest(host(1, 1), one), lab.guest(host(2, 1), one), lab.guest(host(3, 2), two)]);
  await Promise.all([serve(lab.internet, 80), serve(b, 80)]);
});
afterAll(() => lab.close());

test("a forward leads from the host's address to a guest, live, and ends live", async () => {
  const forwards = [
    { hostAddress: "203.0.113.2", hostPort: 8080, protocol: "tcp" as const, ipv4: "192.168.1.3", port: 80 },
    { hostAddress: "0.0.0.0", hostPort: 8081, protocol: "tcp" as const, ipv4: "192.168.1.3", port: 80 },
    { hostAddress: "127.0.0.1", hostPort: 8082, protocol: "tcp" as const, ipv4: "192.168.1.3", port: 80 },
  ];
  expect(await get(lab.internet, "203.0.113.2", 8080)).toBe("refused");
  await lab.apply({ ...state, networks: [{ ...one, forwards }, two] });
  expect(await get(lab.internet, "203.0.113.2", 8080)).toBe("hello ::ffff:203.0.113.1");
  expect(await get(lab.internet, "203.0.113.2", 8081)).toBe("hello ::ffff:203.0.113.1");
  expect(await get(lab.internet, "203.0.113.2", 8082)).toBe("refused");
  expect(await get(lab.host, "203.0.113.2", 8081)).toMatch(/^hello/);
  expect(await get(lab.host, "127.0.0.1", 8081)).toMatch(/^hello/);
  expect(await get(lab.host, "127.0.0.1", 8082)).toMatch(/^hello/);
  expect(await get(c, "203.0.113.2", 8080)).toMatch(/^hello/);
  await lab.apply(state);
  for (const [address, port] of [
    ["203.0.113.2", 8080],
    ["203.0.113.2", 8081],
  ] as const) {
    expect(await get(lab.internet, address, port)).toBe("refused");
  }
  expect(await get(lab.host, "127.0.0.1", 8082)).toBe("refused");
});

/** Echoes bytes and datagrams on port 7. */
const echo = `require("node:net").createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(7, () => {
    const datagrams = require("node:dgram").createSocket("udp4", (data, { port, address }) => datagrams.send(data, port, address));
    datagrams.bind(7, () => console.log("ready"));
  });`;

test("what is open through a forward, TCP and UDP, goes on while others change and ends when it is removed", async () => {
  await b.start(process.execPath, ["-e", echo]);
  const to = { hostAddress: "0.0.0.0", ipv4: "192.168.1.3", port: 7 };
  const forwards = [
    { ...to, protocol: "tcp" as const, hostPort: 7000 },
    { ...to, protocol: "udp" as const, hostPort: 7001 },
  ];
  const other = { ...to, protocol: "tcp" as const, hostPort: 8080, port: 80 };
  await lab.apply({ ...state, networks: [{ ...one, forwards }, two] });
  const clients = [dripClient("203.0.113.2", 7000), datagramClient("203.0.113.2", 7001)];
  const heard = await Promise.all(clients.map((client) => lab.internet.start(process.execPath, ["-e", client])));
  const hearMore = async () => {
    const before = heard.map(({ length }) => length);
    await until(() => heard.every(({ length }, index) => length > (before[index] ?? 0) + 5), 20_000);
  };
  await hearMore();
  await lab.apply({ ...state, networks: [{ ...one, forwards: [...forwards, other] }, two] });
  await hearMore();
  await lab.apply({ ...state, networks: [{ ...one, forwards: [other] }, two] });
  await Promise.all(heard.map((lines) => untilQuiet(lines)));
  await lab.apply(state);
});

test("a firewall that lets in this computer alone lets in no guest that comes by a forward of it", async () => {
  const hostEnd = (await lab.host.run("ip", ["-4", "-brief", "address", "show", "dev", lab.names.hostLink])).match(
    /169\.254\.[\d.]+/,
  )?.[0];
  const forwards = [
    { hostAddress: "0.0.0.0", hostPort: 8081, protocol: "tcp" as const, ipv4: "192.168.1.3", port: 80 },
  ];
  const forwarded: NetworkState = { ...state, networks: [{ ...one, forwards }, two] };
  const closedTo = (cidrs: string[]): NetworkState => {
    const ingress = [{ protocol: "tcp" as const, ports: [{ from: 80, to: 80 }], cidrs }];
    return { ...forwarded, firewalls: [{ vmId: 2, interfaceId: "net0", ingress, egress: null }] };
  };
  for (const cidr of [`${hostEnd}/32`, "169.254.0.0/16"]) {
    await lab.apply(closedTo([cidr]));
    expect(await get(lab.host, "192.168.1.3", 80)).toBe("hello ::ffff:192.168.1.1");
    expect(await get(lab.host, "127.0.0.1", 8081)).toBe("hello ::ffff:192.168.1.1");
    for (const guest of [a, c]) expect(await get(guest, "203.0.113.2", 8081, silenceMs)).toBe("silent");
    expect(await get(lab.internet, "203.0.113.2", 8081, silenceMs)).toBe("silent");
  }
  for (const guest of [a, c]) {
    await lab.apply(closedTo([]));
    expect(await get(guest, "203.0.113.2", 8081)).toBe("hello ::ffff:192.168.1.1");
    await lab.apply(forwarded);
    expect(await get(guest, "203.0.113.2", 8081)).toBe("hello ::ffff:192.168.1.1");
  }
  await lab.apply(state);
});

test("only forwards lead from outside to a guest, and only by the addresses that they are on", async () => {
  await lab.internet.ip("route add 192.168.1.0/24 via 203.0.113.2");
  expect(await get(lab.internet, "192.168.1.3", 80, silenceMs)).toBe("silent");
  const to = { protocol: "tcp" as const, ipv4: "192.168.1.3", port: 80 };
  const forwards = [
    { ...to, hostAddress: "127.0.0.1", hostPort: 8082 },
    { ...to, hostAddress: "203.0.113.2", hostPort: 8080 },
  ];
  await lab.apply({ ...state, networks: [{ ...one, forwards }, two] });
  expect(await get(lab.internet, "192.168.1.3", 80, silenceMs)).toBe("silent");
  expect(await get(lab.internet, "203.0.113.2", 8080)).toBe("hello ::ffff:203.0.113.1");
  expect(await get(lab.host, "127.0.0.1", 8082)).toMatch(/^hello/);
  expect(await get(lab.host, "192.168.1.3", 80)).toMatch(/^hello/);
  // As for the containers of a host.
  const nat =
    "table ip nat { chain POSTROUTING { type nat hook postrouting priority 100; ip saddr 203.0.113.1 masquerade; }; }";
  await lab.host.run("nft", ["-f", "-"], nat);
  expect(await get(lab.internet, "192.168.1.3", 80)).toBe("hello ::ffff:192.168.1.1");
  await lab.host.run("nft", ["delete", "table", "ip", "nat"]);
  expect(await get(lab.internet, "192.168.1.3", 80, silenceMs)).toBe("silent");
  await lab.apply({ ...state, networks: [{ ...one, outside: "routed" }, two] });
  expect(await get(lab.internet, "192.168.1.3", 80)).toBe("hello ::ffff:203.0.113.1");
  expect(await get(a, "203.0.113.1", 80)).toBe("hello ::ffff:192.168.1.2");
  await lab.apply({ ...state, networks: [{ ...one, outside: "none" }, two] });
  expect(await get(a, "203.0.113.1", 80, silenceMs)).toBe("silent");
  expect(await get(lab.host, "192.168.1.3", 80)).toMatch(/^hello/);
  await lab.apply(state);
});

test("guests of any network that leads outside come to another's guest by a forward", async () => {
  const forwards = [
    { hostAddress: "203.0.113.2", hostPort: 8080, protocol: "tcp" as const, ipv4: "192.168.1.3", port: 80 },
    { hostAddress: "0.0.0.0", hostPort: 8081, protocol: "tcp" as const, ipv4: "192.168.1.3", port: 80 },
  ];
  for (const [from, to] of [
    ["routed", "nat"],
    ["nat", "routed"],
    ["routed", "routed"],
  ] as const) {
    await lab.apply({
      ...state,
      networks: [
        { ...one, outside: to, forwards },
        { ...two, outside: from },
      ],
    });
    for (const { hostPort } of forwards) {
      for (const guest of [a, c])
        expect(await get(guest, "203.0.113.2", hostPort), `${from} to ${to}`).toMatch(/^hello/);
    }
  }
  await lab.apply(state);
});

test("a port that the host publishes for a container is open to others, and to no guest", async () => {
  const container = await new LabNamespace(`lab-${lab.key}-container`).make();
  lab.guests.push(container);
  await lab.host.ip(
    `link add container type veth peer name eth0 netns ${container.name}`,
    "address add 172.30.0.1/24 dev container",
    "link set dev container up",
  );
  await container.ip("address add 172.30.0.2/24 dev eth0", "link set dev eth0 up", "route add default via 172.30.0.1");
  await serve(container, 80);
  const published = "fib daddr type local tcp dport { 53, 9999 } dnat to 172.30.0.2:80";
  const nat = `table ip nat { chain PREROUTING { type nat hook prerouting priority -100; ${published}; }; }`;
  await lab.host.run("nft", ["-f", "-"], nat);
  for (const address of ["203.0.113.2", "172.30.0.1"]) expect(await get(a, address, 9999, silenceMs)).toBe("silent");
  expect(await get(lab.internet, "203.0.113.2", 9999)).toBe("hello ::ffff:203.0.113.1");
  // The host's name server may be one.
  expect(await get(a, "203.0.113.2", 53)).toMatch(/^hello/);
  expect(await get(a, "203.0.113.1", 80)).toMatch(/^hello/);
  await lab.host.run("nft", ["delete", "table", "ip", "nat"]);
  await lab.host.ip("link delete dev container");
});
