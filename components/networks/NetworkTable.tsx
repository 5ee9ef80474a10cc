import type { Network } from "../../lib/domain/network";
import { Badge } from "../ui/Badge";
import { CopyText } from "../ui/CopyText";
import { Table, TableBody, TableHead, Td, Th, Tr } from "../ui/Table";
import { TextLink } from "../ui/TextLink";
import { outsideWords } from "./networkWords";

export function NetworkTable({ networks }: { networks: readonly Network[] }) {
  return (
    <Table label="Networks">
      <TableHead>
        <Th>Name</Th>
        <Th>Range</Th>
        <Th className="hidden lg:table-cell">Names</Th>
        <Th className="hidden md:table-cell">Way out</Th>
        <Th className="text-right">VMs</Th>
        <Th className="hidden text-right sm:table-cell">Free addresses</Th>
      </TableHead>
      <TableBody>
        {networks.map((network) => (
          <Tr key={network.id}>
            <Td className="max-w-72">
              <TextLink href={`/networks/${network.id}`} className="font-medium">
                {network.name}
              </TextLink>
              {network.whyNot ? (
                <span className="ml-1.5">
                  <Badge tone="warn">Not all in effect</Badge>
                </span>
              ) : null}
              {network.description ? <p className="text-muted text-xs">{network.description}</p> : null}
            </Td>
            <Td className="whitespace-nowrap">
              <CopyText text={network.cidr} what={`range of ${network.name}`} />
              {network.ipv6Cidr ? (
                <span className="ml-1.5">
                  <Badge>IPv6</Badge>
                </span>
              ) : null}
            </Td>
            <Td className="hidden font-mono text-muted text-xs lg:table-cell">*.{network.domain}</Td>
            <Td className="hidden text-muted md:table-cell">{outsideWords[network.outside].label}</Td>
            <Td className="text-right tabular-nums">{network.vmCount}</Td>
            <Td className="hidden text-right tabular-nums sm:table-cell">{network.freeCount}</Td>
          </Tr>
        ))}
      </TableBody>
    </Table>
  );
}
