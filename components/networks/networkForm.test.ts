import { describe, expect, test } from "vitest";
import { exampleNetwork } from "./exampleNetwork";
import { createRequestOf, emptyNetworkForm, networkFormOf, networkProblems, updateRequestOf } from "./networkForm";

describe("the form of a network", () => {
  test("asks for no more than was filled in", () => {
    const form = { ...emptyNetworkForm("192.168.0.0/24"), name: "lab" };
    expect(createRequestOf(form)).toEqual({
      ...{ name: "lab", cidr: "192.168.0.0/24", description: "", outside: "nat", reaches: [], dnsServers: [] },
    });
    expect(networkProblems(form, undefined)).toEqual({});
  });

  test("of a network that is there, changed in nothing, asks for what it has", () => {
    const network = exampleNetwork({ dnsServers: ["9.9.9.9", "1.1.1.1"], reaches: [2], outside: "none" });
    const { name, description, outside, reaches, dnsServers, range } = network;
    const form = networkFormOf(network);
    expect(updateRequestOf(form, form)).toEqual({ name, description, outside, reaches, dnsServers, range });
  });

  test("asks for what was chosen of gateway, domain, range and IPv6, and for no range where its addresses are emptied", () => {
    const chosen = {
      gateway: "192.168.0.254",
      domain: "lab.example",
      rangeFirst: "192.168.0.9",
      rangeLast: " 192.168.0.20",
    };
    const form = { ...emptyNetworkForm("192.168.0.0/24"), name: "lab", ...chosen, ipv6: true };
    const range = { first: "192.168.0.9", last: "192.168.0.20" };
    expect(createRequestOf(form)).toMatchObject({ gateway: "192.168.0.254", domain: "lab.example", range, ipv6: true });
    const before = networkFormOf(exampleNetwork({ name: "lab", domain: "lab.internal" }));
    const change = { gateway: "192.168.0.254", domain: "lab.example", range, ipv6: true };
    expect(updateRequestOf(form, before)).toMatchObject(change);
    expect(updateRequestOf({ ...form, rangeFirst: "", rangeLast: "" }, before)).toMatchObject({ range: null });
    const wrong = { gateway: "192.168.1.1", domain: "-lab.example" };
    expect(Object.keys(networkProblems({ ...form, ...wrong }, undefined)).sort()).toEqual(["domain", "gateway"]);
  });

  test("of a network that moves asks for its new range, and for the usual gateway and domain where those are emptied", () => {
    const before = networkFormOf(exampleNetwork({ domain: "lab.example", ipv6Cidr: "fd00:1:2:3::/64" }));
    const form = { ...before, cidr: "10.1.0.0/24", gateway: "", domain: "", ipv6: false };
    const asked = { cidr: "10.1.0.0/24", domain: "default.internal", ipv6: false };
    expect(updateRequestOf(form, before)).toMatchObject(asked);
    expect(updateRequestOf(form, before)).not.toHaveProperty("gateway");
    const chosen = { ...before, gateway: "192.168.0.254" };
    expect(updateRequestOf({ ...chosen, gateway: "" }, chosen)).toMatchObject({ gateway: "192.168.0.1" });
    expect(Object.keys(networkProblems({ ...form, cidr: "10.1.0.0" }, before))).toEqual(["cidr"]);
  });

  test("says what is wrong at its field", () => {
    const form = {
      ...emptyNetworkForm("192.168.0.0/24"),
      name: "A b",
      cidr: "8.8.8.0/24",
      dnsServers: "one two",
      rangeFirst: "x",
    };
    expect(Object.keys(networkProblems(form, undefined)).sort()).toEqual(["cidr", "dnsServers", "name", "range"]);
    expect(Object.keys(networkProblems(form, networkFormOf(exampleNetwork()))).sort()).toEqual([
      "cidr",
      "dnsServers",
      "name",
      "range",
    ]);
  });
});
