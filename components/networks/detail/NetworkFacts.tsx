import type { Network } from "../../../lib/domain/network";
import { Banner } from "../../ui/Banner";
import { Card } from "../../ui/Card";
import { CopyText } from "../../ui/CopyText";
import { Facts } from "../../ui/Facts";
import { outsideWords, reachesInWords } from "../networkWords";

export function NetworkFacts({ network, networks }: { network: Network; networks: readonly Network[] }) {
  const { cidr, ipv6Cidr, gateway, domain, outside, dnsServers, range, vmCount, driver, whyNot } = network;
  return (
    <Card title="Facts">
      <Facts
        items={[
          { label: "Range", value: <CopyText text={cidr} what="range" /> },
          ...(ipv6Cidr ? [{ label: "IPv6 range", value: <CopyText text={ipv6Cidr} what="IPv6 range" /> }] : []),
          { label: "Gateway", value: <CopyText text={gateway} what="gateway" /> },
          { label: "Names", value: <span className="font-mono text-xs leading-5">vm.{domain}</span> },
          { label: "Way out", value: outsideWords[outside].label },
          { label: "Reaches", value: reachesInWords(network, networks) },
          { label: "Name servers", value: dnsServers.length > 0 ? dnsServers.join(", ") : "the host's own" },
          {
            label: "Given to VMs",
            value: range ? `${range.first} – ${range.last}` : "all but the gateway's and the last",
          },
          { label: "VMs", value: vmCount },
        ]}
      />
      {driver === "user" ? (
        <p className="mt-3 text-muted text-sm">This host has user-mode networks: each VM is alone in its network.</p>
      ) : null}
      {whyNot ? (
        <Banner tone="warn" title="Not all of it is in effect" className="mt-3">
          {whyNot}
        </Banner>
      ) : null}
    </Card>
  );
}
