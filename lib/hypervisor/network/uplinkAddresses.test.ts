import { expect, test } from "vitest";
import { overlaps } from "../../domain/cidrs";
import { linkLocalOf, networkNames } from "./names";
import { chooseUplinkAddresses } from "./uplinkAddresses";

const names = networkNames("/run/cumulus/one");

test("an installation has the same addresses each time, and another one others", () => {
  expect(chooseUplinkAddresses(names, [])).toEqual(chooseUplinkAddresses(names, []));
  expect(chooseUplinkAddresses(names, [])).not.toEqual(chooseUplinkAddresses(networkNames("/run/cumulus/two"), []));
});

test("addresses that the host has a route to are left alone", () => {
  const { host4 } = chooseUplinkAddresses(names, []);
  const next = chooseUplinkAddresses(names, [`${host4}/30`, "169.254.0.0/16"]);
  expect(overlaps(`${next.host4}/30`, `${host4}/30`)).toBe(false);
  expect(overlaps(`${next.host4}/30`, `${next.inner4}/30`)).toBe(true);
  expect(() => chooseUplinkAddresses(names, ["169.0.0.0/8"])).toThrow(/find no address/);
});

test("names of links fit into what the kernel has room for", () => {
  expect(names.hostLink.length).toBeLessThanOrEqual(15);
});

test("a MAC's link-local address", () => {
  expect(linkLocalOf("52:54:00:00:01:02")).toBe("fe80::5054:ff:fe00:102");
});
