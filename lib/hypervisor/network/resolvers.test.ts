import { expect, test } from "vitest";
import { chooseNameServers } from "./resolvers";

const addresses = ["127.0.0.1", "192.168.1.5", "fd00::5"];

test("name servers elsewhere are asked, and the host's own only where there is no other", () => {
  const both = "nameserver 127.0.0.1\nnameserver 192.168.1.1\n";
  expect(chooseNameServers([both], addresses)).toEqual({ reachable: ["192.168.1.1"], own: [] });
  const stub = "# by systemd-resolved\nnameserver 127.0.0.53\n";
  expect(chooseNameServers([stub, both], addresses)).toEqual({ reachable: ["192.168.1.1"], own: [] });
  expect(chooseNameServers([stub, stub], addresses)).toEqual({ reachable: [], own: ["127.0.0.53"] });
});

test.each(["127.0.0.11", "127.0.0.1", "192.168.1.5", "::1", "fd00::53", "fe80::1%eth0"])(
  "%s is for the host alone to ask",
  (server) => {
    expect(chooseNameServers([`nameserver ${server}\n`, ""], addresses)).toEqual({ reachable: [], own: [server] });
  },
);

test("a host without name servers has none", () => {
  expect(chooseNameServers(["search example.org\n", ""], addresses)).toEqual({ reachable: [], own: [] });
});
