import { expect, test } from "vitest";
import { ipv4ToNumber, isForVms, numberToIpv4 } from "./ipv4";
import { rangeProblem } from "./network";

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
