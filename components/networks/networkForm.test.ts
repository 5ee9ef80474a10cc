import { describe, expect, test } from "vitest";
import { exampleNetwork } from "./exampleNetwork";
import { createRequestOf, emptyNetworkForm, networkFormOf, networkProblems, updateRequestOf } from "./networkForm";

describe("the form of a network", () => {
  test("asks for no more than was filled in", () => {
    const form = { ...emptyNetworkForm("192.168.0.0/24"), name: "lab" };
    expect(createRequestOf(form)).toEqual({
      ...{ name: "lab", cidr: "192.168.0.0/24", description: "", outside: "nat", reaches: [], dnsServers: [] },
    });
    expect(networkProblems(form, "create")).toEqual({});
  });

  test("of a network that is there, changed in nothing, asks for what it has", () => {
    const network = exampleNetwork({ dnsServers: ["9.9.9.9", "1.1.1.1"], reaches: [2], outside: "none" });
    const { name, description, outside, reaches, dnsServers, range } = network;
    expect(updateRequestOf(networkFormOf(network))).toEqual({ name, description, outside, reaches, dnsServers, range });
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
    expect(updateRequestOf(form)).toMatchObject({ range, ipv6: true });
    expect(updateRequestOf({ ...form, rangeFirst: "", rangeLast: "" })).toMatchObject({ range: null });
    const wrong = { gateway: "192.168.1.1", domain: "-lab.example" };
    expect(Object.keys(networkProblems({ ...form, ...wrong }, "create")).sort()).toEqual(["domain", "gateway"]);
  });

  test("says what is wrong at its field", () => {
    const form = {
      ...emptyNetworkForm("192.168.0.0/24"),
      name: "A b",
      cidr: "8.8.8.0/24",
      dnsServers: "one two",
      rangeFirst: "x",
    };
    expect(Object.keys(networkProblems(form, "create")).sort()).toEqual(["cidr", "dnsServers", "name", "range"]);
    expect(Object.keys(networkProblems(form, "update")).sort()).toEqual(["dnsServers", "name", "range"]);
  });
});
