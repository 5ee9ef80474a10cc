import { join } from "node:path";
import type { NetworkState } from "../../domain/hostNetwork";
import { dhcpHostsFile, hostsFile, namedNetworks } from "../../hypervisor/network/dnsmasqConfig";
import { readTextIfThere } from "../../system/files";
import type { NameFileFact } from "../snapshot";

/** The files of the networks' name servers, beside what the state makes of them. @param folder of all networks' */
export async function gatherNameFiles(folder: string, { networks }: NetworkState): Promise<NameFileFact[]> {
  const wanted = networks.flatMap((network) => [
    { network, name: "hosts", text: hostsFile(network, namedNetworks(network, networks)) },
    { network, name: "dhcp-hosts", text: dhcpHostsFile(network) },
  ]);
  return Promise.all(
    wanted.map(async ({ network, name, text }) => {
      const path = join(folder, String(network.id), name);
      const found = await readTextIfThere(path);
      return { networkId: network.id, path, expected: linesOf(text), found: found === null ? null : linesOf(found) };
    }),
  );
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
