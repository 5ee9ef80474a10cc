"use client";

import { apiRequest } from "../../../lib/api/client";
import { formatExact } from "../../../lib/browser/time";
import { keys } from "../../data/keys";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { CopyText } from "../../ui/CopyText";
import { TextLink } from "../../ui/TextLink";
import { addressWords } from "../networkWords";
import type { MapCell } from "./mapCells";
import { ReserveForm } from "./ReserveForm";
import { useAddressChange } from "./useAddressChange";

/** What the chosen address is, and what can be done with it: in sight wherever in the map it was chosen. */
export function AddressPanel({ networkId, cell }: { networkId: number; cell: MapCell }) {
  const { ipv4, state, address } = cell;
  const isReserved = state === "reserved" || (address !== undefined && address.mac !== null);
  return (
    <section
      aria-label="Chosen address"
      className="sticky bottom-18 mt-4 rounded-lg border border-line-strong bg-sunken p-3 sm:bottom-4"
    >
      <p aria-live="polite" className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm">
        <CopyText text={ipv4} what="address" />
        {address?.ipv6 ? <CopyText text={address.ipv6} what="IPv6 address" /> : null}
        {address?.mac ? <CopyText text={address.mac} what="reserved MAC address" /> : null}
        <CellWords cell={cell} />
      </p>
      {state === "free" ? <ReserveForm key={ipv4} networkId={networkId} ipv4={ipv4} /> : null}
      {isReserved ? <FreeButton key={ipv4} networkId={networkId} ipv4={ipv4} vmName={address?.vm?.name} /> : null}
    </section>
  );
}

function CellWords({ cell: { state, address, isAutomatic } }: { cell: MapCell }) {
  const isFor = address?.note ? `: ${address.note}` : "";
  switch (state) {
    case "vm":
      return (
        <span>
          {address?.vm ? (
            <>
              The VM <TextLink href={`/vms/${address.vm.id}/networking`}>{address.vm.name}</TextLink>
            </>
          ) : (
            "A VM"
          )}{" "}
          has it{address?.mac ? `, and the MAC that is reserved with it${isFor}` : "."}
        </span>
      );
    case "quarantined":
      return (
        <span>
          {address?.vm?.name ?? "A VM"} had it, and is gone. It can be given again
          {address?.freeAt ? ` from ${formatExact(address.freeAt)}` : " in a while"}, so that what still talks to the
          old one doesn't reach a new one.
        </span>
      );
    case "reserved":
      if (address?.mac) return <span>Reserved for a VM that asks for it, with this MAC{isFor || "."}</span>;
      return <span>{isFor ? `Reserved${isFor}` : "Reserved by hand: no VM is given it."}</span>;
    case "free":
      return <span>{isAutomatic ? "Free." : "Free for VMs that ask for it; none is given it by itself."}</span>;
    default:
      return <span>{addressWords[state]}.</span>;
  }
}

/** Ends a reservation. @param vmName the VM that has what is reserved, and keeps it */
function FreeButton({ networkId, ipv4, vmName }: { networkId: number; ipv4: string; vmName: string | undefined }) {
  const { form, change } = useAddressChange(networkId);
  const done = `${ipv4} is no longer reserved${vmName === undefined ? "" : `; ${vmName} keeps it`}.`;
  const free = () => change(() => apiRequest("DELETE", `${keys.networkAddresses(networkId)}?ipv4=${ipv4}`), done);
  return (
    <div className="mt-3 flex flex-wrap gap-3">
      <Button loading={form.isPending} onClick={() => void free()}>
        {vmName === undefined ? `Free ${ipv4}` : `End the reservation of ${ipv4}`}
      </Button>
      {form.error === undefined ? null : (
        <Banner tone="bad" className="w-full">
          {form.error}
        </Banner>
      )}
    </div>
  );
}
