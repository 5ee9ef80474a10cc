"use client";

import { type FormEvent, useState } from "react";
import { apiRequest } from "../../../../lib/api/client";
import type { Vm } from "../../../../lib/domain/vm";
import type { VmInterface, VmNetworking } from "../../../../lib/domain/vmNetworking";
import { Banner } from "../../../ui/Banner";
import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import { Field } from "../../../ui/Field";
import { Input } from "../../../ui/Input";
import { bytesPerSecondOf, megabitsOf } from "./networkingWords";
import { useNetworkingChange } from "./useNetworkingChange";

const problem = "Give a number of 0.008 or more, or nothing for no limit.";

interface LimitDialogProps {
  vm: Vm;
  link: VmInterface;
  onClose: () => void;
}

/** Limits what an interface receives and sends, at once. */
export function LimitDialog({ vm, link, onClose }: LimitDialogProps) {
  const [ingress, setIngress] = useState(megabitsOf(link.limit.ingressBytesPerSecond));
  const [egress, setEgress] = useState(megabitsOf(link.limit.egressBytesPerSecond));
  const [wasSent, setSent] = useState(false);
  const { form, change } = useNetworkingChange(vm.id);
  const [ingressBytesPerSecond, egressBytesPerSecond] = [bytesPerSecondOf(ingress), bytesPerSecondOf(egress)];
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setSent(true);
    if (ingressBytesPerSecond === undefined || egressBytesPerSecond === undefined) return;
    const body = { ingressBytesPerSecond, egressBytesPerSecond };
    const send = () => apiRequest<VmNetworking>("PUT", `/api/vms/${vm.id}/interfaces/${link.id}/limit`, body);
    if (await change(send, `The limit of ${link.id} is in effect.`)) onClose();
  };
  const fields = [
    { label: "Receives at most", value: ingress, set: setIngress, bytes: ingressBytesPerSecond },
    { label: "Sends at most", value: egress, set: setEgress, bytes: egressBytesPerSecond },
  ];
  return (
    <Dialog open onOpenChange={(isOpen) => isOpen || onClose()} title={`Limit ${link.id} of ${vm.name}`}>
      <form onSubmit={save} noValidate className="flex flex-col gap-4">
        <div className="grid gap-4 sm:grid-cols-2">
          {fields.map(({ label, value, set, bytes }) => (
            <Field
              key={label}
              label={label}
              aside="Mbit/s"
              error={wasSent && bytes === undefined ? problem : undefined}
            >
              {(control) => (
                <Input
                  {...control}
                  inputMode="decimal"
                  autoComplete="off"
                  placeholder="no limit"
                  value={value}
                  onChange={(event) => set(event.target.value)}
                />
              )}
            </Field>
          ))}
        </div>
        {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" loading={form.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
