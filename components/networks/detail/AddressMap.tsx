"use client";

import { useId } from "react";
import { cx } from "../../ui/cx";
import { addressWords } from "../networkWords";
import { type AddressState, countStates, type MapCell } from "./mapCells";

/** Told apart by more than colour: filled, ringed, striped, plain. */
const looks: Record<AddressState, string> = {
  vm: "border-accent bg-accent text-on-accent",
  reserved: "border-2 border-warn bg-warn-soft text-warn-ink",
  quarantined:
    "border-dashed border-control bg-[repeating-linear-gradient(135deg,var(--color-raised)_0_4px,var(--color-surface)_4px_8px)] text-ink",
  gateway: "border-control bg-raised font-medium text-ink underline",
  free: "border-line bg-surface text-muted",
  none: "border-transparent text-faint",
};
const order: AddressState[] = ["vm", "reserved", "quarantined", "free", "gateway", "none"];

interface AddressMapProps {
  cells: readonly MapCell[];
  /** The address that is looked at. */
  chosen: string | null;
  onChoose: (ipv4: string) => void;
}

/** Every address of a part of a network as a cell with its last number: radio buttons underneath, so arrow keys move and each has its name. */
export function AddressMap({ cells, chosen, onChoose }: AddressMapProps) {
  const name = useId();
  return (
    <div>
      <Legend cells={cells} />
      <fieldset>
        <legend className="sr-only">Addresses: choose one to see more of it</legend>
        <div className="grid grid-cols-8 gap-1 sm:grid-cols-16">
          {cells.map(({ ipv4, state, address }) => (
            <label
              key={ipv4}
              title={titleOf(ipv4, state, address?.vm?.name)}
              className={cx(
                "relative flex h-7 items-center justify-center rounded-sm border text-2xs tabular-nums",
                "has-focus-visible:outline-2 has-focus-visible:outline-accent-ink has-focus-visible:outline-offset-1",
                looks[state],
                chosen === ipv4 && "ring-2 ring-ink",
              )}
            >
              <input
                type="radio"
                name={name}
                value={ipv4}
                checked={chosen === ipv4}
                onChange={() => onChoose(ipv4)}
                aria-label={titleOf(ipv4, state, address?.vm?.name)}
                className="absolute inset-0 cursor-pointer appearance-none outline-none"
              />
              <span aria-hidden>{ipv4.split(".")[3]}</span>
            </label>
          ))}
        </div>
      </fieldset>
    </div>
  );
}

function titleOf(ipv4: string, state: AddressState, vmName: string | undefined): string {
  return `${ipv4}: ${addressWords[state]}${vmName ? ` (${vmName})` : ""}`;
}

function Legend({ cells }: { cells: readonly MapCell[] }) {
  const counts = countStates(cells);
  return (
    <ul className="mb-3 flex flex-wrap gap-x-4 gap-y-1.5 text-sm">
      {order
        .filter((state) => counts[state] !== undefined)
        .map((state) => (
          <li key={state} className="flex items-center gap-1.5">
            <span aria-hidden className={cx("inline-block size-3.5 rounded-xs border", looks[state])} />
            {addressWords[state]}
            <span className="text-muted tabular-nums">{counts[state]}</span>
          </li>
        ))}
    </ul>
  );
}
