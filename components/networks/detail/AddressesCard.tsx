"use client";

import { useState } from "react";
import type { Network, NetworkAddress } from "../../../lib/domain/network";
import { ReadingState } from "../../data/ReadingState";
import { Card } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { Select } from "../../ui/Select";
import { useNetworkAddresses } from "../useNetworkData";
import { AddressMap } from "./AddressMap";
import { AddressPanel } from "./AddressPanel";
import { blocksOf, cellsOf } from "./mapCells";

/** Which addresses are used, reserved, in quarantine and free. */
export function AddressesCard({ network }: { network: Network }) {
  const addresses = useNetworkAddresses(network.id);
  return (
    <Card title="Addresses" description={`${network.freeCount} are free for new VMs.`}>
      <ReadingState reading={addresses} what="addresses">
        {(list) => <BlockMap network={network} addresses={list} />}
      </ReadingState>
    </Card>
  );
}

function BlockMap({ network, addresses }: { network: Network; addresses: readonly NetworkAddress[] }) {
  const [index, setIndex] = useState(0);
  const [chosen, setChosen] = useState<string | null>(null);
  const blocks = blocksOf(network.cidr);
  const block = blocks[index];
  if (!block) return null;
  const cells = cellsOf(network, addresses, block);
  const cell = cells.find(({ ipv4 }) => ipv4 === chosen);
  return (
    <>
      {blocks.length > 1 ? (
        <Field label="Part of the range" className="mb-4 max-w-sm">
          {(control) => (
            <Select {...control} value={index} onChange={(event) => setIndex(Number(event.target.value))}>
              {blocks.map(({ label }, at) => (
                <option key={label} value={at}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
      ) : null}
      <AddressMap cells={cells} chosen={chosen} onChoose={setChosen} />
      {cell ? (
        <AddressPanel networkId={network.id} cell={cell} />
      ) : (
        <p className="mt-4 text-muted text-sm">Choose an address to see what it is, to reserve it or to free it.</p>
      )}
    </>
  );
}
