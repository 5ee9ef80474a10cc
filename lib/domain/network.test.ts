import { expect, test } from "vitest";
import { ipv4ToNumber, isForVms, numberToIpv4 } from "./ipv4";
import { createNetworkSchema, networkDomainSchema, rangeProblem, updateNetworkSchema } from "./network";

test.each([
  ["10.8.0.0/24", "10.8.0.1", "10.8.0.247", "10.8.0.254", "10.8.0.254"],
  ["10.8.0.0/24", "10.8.0.254", "10.8.0.246", "10.8.0.253", "10.8.0.253"],
  ["10.8.0.0/29", "10.8.0.1", "10.8.0.4", "10.8.0.6", "10.8.0.6"],
  ["10.8.0.0/24", "10.8.0.5", "10.8.0.2", "10.8.0.9", "10.8.0.5"],
])("a range of %s for VMs leaves out what no VM can have, which is named", (cidr, gateway, first, last, named) => {
  expect(rangeProblem(cidr, gateway, { first, last })).toMatch(new RegExp(`^Leave out .*${named}`));
});

test.each([
  ["10.8.0.0/24", "10.8.0.1", "10.8.0.246", "10.8.0.253"],
  ["10.8.0.0/24", "10.8.0.254", "10.8.0.1", "10.8.0.252"],
  ["10.8.0.0/29", "10.8.0.1", "10.8.0.2", "10.8.0.5"],
])("a range of %s that is accepted holds only addresses that VMs can have", (cidr, gateway, first, last) => {
  expect(rangeProblem(cidr, gateway, { first, last })).toBeUndefined();
  for (let value = ipv4ToNumber(first); value <= ipv4ToNumber(last); value++) {
    expect(isForVms({ cidr, gateway }, numberToIpv4(value)), numberToIpv4(value)).toBe(true);
  }
});

test.each(["0.0.0.0", "127.0.0.1", "127.0.0.53", "224.0.0.1", "255.255.255.255"])(
  "%s can't be a network's name server, since none answers there",
  (address) => {
    const { error } = updateNetworkSchema.safeParse({ dnsServers: ["9.9.9.9", address] });
    expect(error?.issues).toMatchObject([
      { path: ["dnsServers", 1], message: expect.stringMatching(/name server that/) },
    ]);
  },
);

test("a network's name server is not its own gateway, nor an address of nobody in it", () => {
  const problemOf = (dnsServers: string[], gateway?: string) =>
    createNetworkSchema.safeParse({ name: "a", cidr: "10.8.0.0/24", gateway, dnsServers }).error?.issues;
  const refused = [{ path: ["dnsServers"] }];
  expect(problemOf(["10.8.0.1"])).toMatchObject(refused);
  expect(problemOf(["10.8.0.9"], "10.8.0.9")).toMatchObject(refused);
  expect(problemOf(["10.8.0.0"])).toMatchObject(refused);
  expect(problemOf(["10.8.0.255"])).toMatchObject(refused);
  expect(problemOf(["10.8.0.9", "9.9.9.9"])).toBeUndefined();
});

test.each(["internal", "lan", "home", "corp", "intranet", "private", "test", "lab.internal", "shop.example", "a.com"])(
  "%s can be a network's domain",
  (domain) => {
    expect(networkDomainSchema.safeParse(domain).success).toBe(true);
  },
);

test.each([
  ["localhost", "each computer's own"],
  ["a.localhost", "each computer's own"],
  ["com", "on the Internet"],
  ["dev", "on the Internet"],
])("%s can't be a network's domain, and the reason is given", (domain, reason) => {
  expect(networkDomainSchema.safeParse(domain).error?.issues[0]?.message).toContain(reason);
});

test("of a range that is none, the range alone is told of", () => {
  const { error } = createNetworkSchema.safeParse({ name: "a", cidr: "abc" });
  expect(error?.issues).toMatchObject([{ path: ["cidr"], message: 'Give a range such as "192.168.10.0/24".' }]);
});

test("a network that is to be reached is named once", () => {
  expect(updateNetworkSchema.parse({ reaches: [2, 3, 2] })).toEqual({ reaches: [2, 3] });
});
