"use client";

import { type FormEvent, useState } from "react";
import { useSWRConfig } from "swr";
import { apiRequest } from "../../../lib/api/client";
import { formatExact } from "../../../lib/browser/time";
import { keys } from "../../data/keys";
import { useSubmit } from "../../data/useSubmit";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { CopyText } from "../../ui/CopyText";
import { Field } from "../../ui/Field";
import { Input } from "../../ui/Input";
import { notify } from "../../ui/notify";
import { TextLink } from "../../ui/TextLink";
import { addressWords } from "../networkWords";
import type { MapCell } from "./mapCells";

/** What the chosen address is, and what can be done with it: in sight wherever in the map it was chosen. */
export function AddressPanel({ networkId, cell }: { networkId: number; cell: MapCell }) {
  return (
    <section
      aria-label="Chosen address"
      className="sticky bottom-18 mt-4 rounded-lg border border-line-strong bg-sunken p-3 sm:bottom-4"
    >
      <p aria-live="polite" className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm">
        <CopyText text={cell.ipv4} what="address" />
        {cell.address?.ipv6 ? <CopyText text={cell.address.ipv6} what="IPv6 address" /> : null}
        <CellWords cell={cell} />
      </p>
      {cell.state === "free" ? <ReserveForm key={cell.ipv4} networkId={networkId} ipv4={cell.ipv4} /> : null}
      {cell.state === "reserved" ? <FreeButton key={cell.ipv4} networkId={networkId} ipv4={cell.ipv4} /> : null}
    </section>
  );
}

function CellWords({ cell: { state, address, isAutomatic } }: { cell: MapCell }) {
  switch (state) {
    case "vm":
      return address?.vm ? (
        <span>
          The VM <TextLink href={`/vms/${address.vm.id}/networking`}>{address.vm.name}</TextLink> has it.
        </span>
      ) : (
        <span>A VM has it.</span>
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
      return <span>{address?.note ? `Reserved: ${address.note}` : "Reserved by hand: no VM is given it."}</span>;
    case "free":
      return <span>{isAutomatic ? "Free." : "Free for VMs that ask for it; none is given it by itself."}</span>;
    default:
      return <span>{addressWords[state]}.</span>;
  }
}

function useAddressChange(networkId: number) {
  const { mutate } = useSWRConfig();
  const form = useSubmit("ipv4", "note");
  const change = (act: () => Promise<unknown>, done: string) =>
    form.submit(async () => {
      await act();
      await Promise.all([mutate(keys.networkAddresses(networkId)), mutate(keys.network(networkId))]);
      notify(done);
    });
  return { form, change };
}

function ReserveForm({ networkId, ipv4 }: { networkId: number; ipv4: string }) {
  const [note, setNote] = useState("");
  const { form, change } = useAddressChange(networkId);
  const reserve = async (event: FormEvent) => {
    event.preventDefault();
    const body = { ipv4, ...(note.trim() && { note: note.trim() }) };
    await change(() => apiRequest("POST", keys.networkAddresses(networkId), body), `${ipv4} is reserved.`);
  };
  return (
    <form onSubmit={reserve} className="mt-3 flex flex-wrap items-end gap-3">
      <Field label="Reserved for" aside="optional" error={form.fields.note} className="min-w-40 max-w-md flex-1">
        {(control) => (
          <Input
            {...control}
            value={note}
            maxLength={200}
            autoComplete="off"
            placeholder="a printer"
            onChange={(event) => setNote(event.target.value)}
          />
        )}
      </Field>
      <Button type="submit" loading={form.isPending}>
        Reserve {ipv4}
      </Button>
      <Complaint text={form.error ?? form.fields.ipv4} />
    </form>
  );
}

function FreeButton({ networkId, ipv4 }: { networkId: number; ipv4: string }) {
  const { form, change } = useAddressChange(networkId);
  const free = () =>
    change(() => apiRequest("DELETE", `${keys.networkAddresses(networkId)}?ipv4=${ipv4}`), `${ipv4} is free again.`);
  return (
    <div className="mt-3 flex flex-wrap gap-3">
      <Button loading={form.isPending} onClick={() => void free()}>
        Free {ipv4}
      </Button>
      <Complaint text={form.error} />
    </div>
  );
}

function Complaint({ text }: { text: string | undefined }) {
  if (text === undefined) return null;
  return (
    <Banner tone="bad" className="w-full">
      {text}
    </Banner>
  );
}
