"use client";

import { type FormEvent, useState } from "react";
import { apiRequest } from "../../../lib/api/client";
import { keys } from "../../data/keys";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { Field } from "../../ui/Field";
import { Input } from "../../ui/Input";
import { useAddressChange } from "./useAddressChange";

/** Keeps a free address from VMs, or, with a MAC, for the one that asks for it. */
export function ReserveForm({ networkId, ipv4 }: { networkId: number; ipv4: string }) {
  const [note, setNote] = useState("");
  const [mac, setMac] = useState("");
  const { form, change } = useAddressChange(networkId);
  const reserve = async (event: FormEvent) => {
    event.preventDefault();
    const body = { ipv4, ...(note.trim() && { note: note.trim() }), ...(mac.trim() && { mac: mac.trim() }) };
    await change(() => apiRequest("POST", keys.networkAddresses(networkId), body), `${ipv4} is reserved.`);
  };
  const complaint = form.error ?? form.fields.ipv4;
  return (
    <form onSubmit={reserve} className="mt-3 flex flex-col gap-3">
      <div className="flex flex-wrap items-start gap-3">
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
        <Field
          label="MAC address"
          aside="optional"
          hint="With one, a VM may ask for this address, and gets the MAC with it. Without, no VM gets the address."
          error={form.fields.mac}
          className="min-w-40 max-w-md flex-1"
        >
          {(control) => (
            <Input
              {...control}
              mono
              value={mac}
              autoComplete="off"
              spellCheck={false}
              placeholder="52:54:00:12:34:56"
              onChange={(event) => setMac(event.target.value)}
            />
          )}
        </Field>
      </div>
      {complaint === undefined ? null : <Banner tone="bad">{complaint}</Banner>}
      <Button type="submit" loading={form.isPending} className="self-start">
        Reserve {ipv4}
      </Button>
    </form>
  );
}
