"use client";

import { type FormEvent, useState } from "react";
import { apiRequest } from "../../../../lib/api/client";
import type { NetworkDriver } from "../../../../lib/domain/machine";
import {
  type AddedForward,
  allAddresses,
  type CreateForward,
  loopbackAddress,
} from "../../../../lib/domain/portForward";
import type { Vm } from "../../../../lib/domain/vm";
import { useForwardAddresses } from "../../../networks/useNetworkData";
import { Banner } from "../../../ui/Banner";
import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import { Field } from "../../../ui/Field";
import { Input } from "../../../ui/Input";
import { SegmentedControl } from "../../../ui/SegmentedControl";
import { Select } from "../../../ui/Select";
import { useNetworkingChange } from "./useNetworkingChange";

/** Makes a port of the host lead to one of the VM. */
export function ForwardDialog({ vm, driver, onClose }: { vm: Vm; driver: NetworkDriver; onClose: () => void }) {
  const [protocol, setProtocol] = useState<CreateForward["protocol"]>("tcp");
  const [hostAddress, setHostAddress] = useState(loopbackAddress);
  const [hostPort, setHostPort] = useState("");
  const [port, setPort] = useState("");
  const { form, change } = useNetworkingChange(vm.id, "hostPort", "port", "hostAddress");
  const others = (useForwardAddresses().data ?? []).filter((address) => address !== loopbackAddress);
  const add = async (event: FormEvent) => {
    event.preventDefault();
    const body = { protocol, hostAddress, hostPort: Number(hostPort), port: Number(port) };
    const send = () => apiRequest<AddedForward>("POST", `/api/vms/${vm.id}/forwards`, body);
    if (await change(send, `Port ${hostPort} of ${vm.host.name} leads to ${vm.name}.`)) onClose();
  };
  const ports = [
    { label: `Port of ${vm.host.name}`, error: form.fields.hostPort, value: hostPort, set: setHostPort },
    { label: "Port of the VM", error: form.fields.port, value: port, set: setPort },
  ];
  return (
    <Dialog open onOpenChange={(isOpen) => isOpen || onClose()} title={`Forward a port to ${vm.name}`}>
      <form onSubmit={add} noValidate className="flex flex-col gap-4">
        <div className="grid gap-4 sm:grid-cols-2">
          {ports.map(({ label, error, value, set }) => (
            <Field key={label} label={label} error={error}>
              {(control) => (
                <Input
                  {...control}
                  inputMode="numeric"
                  autoComplete="off"
                  value={value}
                  onChange={(event) => set(event.target.value)}
                />
              )}
            </Field>
          ))}
        </div>
        <SegmentedControl
          label="Protocol"
          value={protocol}
          onChange={setProtocol}
          options={[
            { value: "tcp", label: "TCP" },
            { value: "udp", label: "UDP" },
          ]}
        />
        <Field
          label="Reached from"
          error={form.fields.hostAddress}
          hint={
            driver === "bridge"
              ? "The VM's firewalls count for what comes this way, too."
              : "With a user-mode network, no firewall would stand behind a port that others reach."
          }
        >
          {(control) => (
            <Select {...control} value={hostAddress} onChange={(event) => setHostAddress(event.target.value)}>
              <option value={loopbackAddress}>{vm.host.name} alone (127.0.0.1)</option>
              <option value={allAddresses} disabled={driver === "user"}>
                wherever {vm.host.name} is reached (0.0.0.0)
              </option>
              {others.map((address) => (
                <option key={address} value={address}>
                  its address {address} alone
                </option>
              ))}
            </Select>
          )}
        </Field>
        {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" loading={form.isPending}>
            Forward the port
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
