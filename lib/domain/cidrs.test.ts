import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalCidr, isWithin, overlaps, withoutContained } from "./cidrs";

const cidr4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([address, bits]) => `${address}/${bits}`);
const cidr6 = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([address, bits]) => `${address}/${bits}`);
const cidr = fc.oneof(cidr4, cidr6);

test.each([
  ["192.168.0.0/24", "192.168.0.128/25", true],
  ["192.168.0.128/25", "192.168.0.0/24", true],
  ["192.168.0.0/24", "192.168.1.0/24", false],
  ["0.0.0.0/0", "10.1.2.3/32", true],
  ["fd00:1::/64", "fd00:1:0:0:5::/80", true],
  ["fd00:1::/64", "fd00:2::/64", false],
  ["0.0.0.0/0", "::/0", false],
  ["::ffff:1.2.3.4/128", "::ffff:102:304/128", true],
])("%s and %s overlap: %s", (one, other, expected) => {
  expect(overlaps(one, other)).toBe(expected);
});

test.each([
  ["192.168.0.7/24", "192.168.0.0/24"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["255.255.255.255/32", "255.255.255.255/32"],
  ["FD00:0:0:1::7/64", "fd00:0:0:1::/64"],
  ["::0:0:0:0:0.0.0.0/1", "::/1"],
  ["1:2:3:4:5:6:7:8/128", "1:2:3:4:5:6:7:8/128"],
])("%s is spelled %s", (cidr, expected) => {
  expect(canonicalCidr(cidr)).toBe(expected);
});

test("an address is within each range that is made of it", () => {
  fc.assert(fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (ip, bits) => isWithin(ip, `${ip}/${bits}`)));
  fc.assert(fc.property(fc.ipV6(), fc.integer({ min: 0, max: 128 }), (ip, bits) => isWithin(ip, `${ip}/${bits}`)));
});

test("without contained ranges, none overlaps another, and every address is still in one", () => {
  fc.assert(
    fc.property(fc.array(cidr, { maxLength: 12 }), (cidrs) => {
      const kept = withoutContained(cidrs);
      expect(kept.every((one, index) => kept.slice(index + 1).every((other) => !overlaps(one, other)))).toBe(true);
      expect(cidrs.every((one) => kept.some((other) => overlaps(one, other)))).toBe(true);
    }),
  );
});
