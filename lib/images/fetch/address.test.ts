import { expect, test } from "vitest";
import { isPublicAddress } from "./address";

test.each([
  "93.184.216.34",
  "1.1.1.1",
  "100.63.255.255",
  "100.128.0.0",
  "172.32.0.1",
  "2606:2800:220:1:248:1893:25c8:1946",
  "2a00:1450:4001::1",
  "::ffff:93.184.216.34",
  "64:ff9b::93.184.216.34",
  "2002:5db8:d822::1",
])("%s is a public address", (address) => expect(isPublicAddress(address)).toBe(true));

test.each([
  ["this computer", ["127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "::1", "::"]],
  ["a private network", ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fc00::1", "fec0::1"]],
  ["a link", ["169.254.169.254", "fe80::1", "fe80::1%eth0"]],
  ["a carrier's network", ["100.64.0.1", "100.127.255.255"]],
  ["many", ["224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1"]],
  ["nobody", ["192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.9", "240.0.0.1", "2001:db8::1", "100::1"]],
  ["a mapped address", ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254"]],
  ["a NAT64 address", ["64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1"]],
  ["a 6to4 address", ["2002:7f00:1::1", "2002:a00:1::", "2002:c0a8:101::1", "2002:a9fe:a9fe::1"]],
  ["Teredo", ["2001:0:4136:e378:8000:63bf:3fff:fdd2"]],
  ["the old compatible form", ["::127.0.0.1", "::10.0.0.1"]],
  ["no address", ["localhost", "", "127.1", "1.2.3.4.5"]],
])("what is of %s is not public", (_, addresses) => {
  for (const address of addresses) expect(isPublicAddress(address), address).toBe(false);
});
