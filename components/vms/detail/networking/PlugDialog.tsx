"use client";

import { type FormEvent, useState } from "react";
import { apiRequest } from "../../../../lib/api/client";
import type { Operation } from "../../../../lib/domain/operation";
import type { Vm } from "../../../../lib/domain/vm";
import type { VmInterface } from "../../../../lib/domain/vmNetworking";
import { useNetworks } from "../../../data/hooks";
import { Banner } from "../../../ui/Banner";
import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import { Field } from "../../../ui/Field";
import { Input } from "../../../ui/Input";
import { Select } from "../../../ui/Select";
import { useNetworkingChange } from "./useNetworkingChange";

interface PlugDialogProps {
  vm: Vm;
  /** Those that it has. */
  interfaces: VmInterface[];
  onClose: () => void;
}

/** Gives a VM an interface in one more network: it is in each by one at the most. */
export function PlugDialog({ vm, interfaces, onClose }: PlugDialogProps) {
  const { data: networks = [] } = useNetworks();
  const [wanted, setWanted] = useState("");
  const [ipv4, setIpv4] = useState("");
  const { form, change } = useNetworkingChange(vm.id, "network", "ipv4");
  const presentIn = (networkId: number) => interfaces.find(({ network }) => network.id === networkId);
  const free = networks.filter(({ id }) => presentIn(id) === undefined);
  const chosen = free.find(({ name }) => name === wanted) ?? free[0];
  const isInAll = networks.length > 0 && free.length === 0;
  const plug = async (event: FormEvent) => {
    event.preventDefault();
    if (!chosen) return;
    const body = { network: chosen.name, ...(ipv4.trim() && { ipv4: ipv4.trim() }) };
    const send = () => apiRequest<Operation>("POST", `/api/vms/${vm.id}/interfaces`, body);
    if (await change(send, `${vm.name} is being plugged into ${chosen.name}.`)) onClose();
  };
  return (
    <Dialog
      open
      onOpenChange={(isOpen) => isOpen || onClose()}
      title={`Plug ${vm.name} into a network`}
      description="At once when it runs. mini sets it up at once too; other guests when they are stopped and started (a reboot is not enough), or asked by hand."
    >
      <form onSubmit={plug} noValidate className="flex flex-col gap-4">
        <Field label="Network" error={form.fields.network}>
          {(control) => (
            <Select {...control} value={chosen?.name ?? ""} onChange={(event) => setWanted(event.target.value)}>
              {isInAll ? <option value="">None is left</option> : null}
              {networks.map(({ id, name, cidr }) => (
                <option key={id} value={name} disabled={presentIn(id) !== undefined}>
                  {name} ({cidr}){presentIn(id) && `: it is in this one by ${presentIn(id)?.id}`}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field
          label="Address"
          aside="optional"
          hint="The lowest free one, when you give none."
          error={form.fields.ipv4}
        >
          {(control) => (
            <Input
              {...control}
              mono
              autoComplete="off"
              value={ipv4}
              onChange={(event) => setIpv4(event.target.value)}
            />
          )}
        </Field>
        {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            variant="primary"
            loading={form.isPending}
            disabledReason={isInAll ? "It is in all networks. Make another one first." : undefined}
          >
            Plug in
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
