"use client";

import { type FormEvent, useState } from "react";
import { useSWRConfig } from "swr";
import { apiRequest } from "../../lib/api/client";
import type { Network } from "../../lib/domain/network";
import { keys } from "../data/keys";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { notify } from "../ui/notify";
import { CannotEnforce } from "./firewalls/CannotEnforce";
import { NetworkFields } from "./NetworkFields";
import {
  createRequestOf,
  emptyNetworkForm,
  type NetworkForm,
  networkFormOf,
  networkProblems,
  updateRequestOf,
} from "./networkForm";
import { useNetworkProposal } from "./useNetworkData";

const shownFields = [
  ...["name", "description", "cidr", "outside", "reaches", "dnsServers"],
  ...["gateway", "domain", "range", "ipv6"],
];

interface NetworkDialogProps {
  /** All that there are. */
  networks: readonly Network[];
  /** The one to change; a new one when not given. */
  network?: Network;
  onClose: () => void;
}

/** Makes a network, or changes one. */
export function NetworkDialog({ networks, network, onClose }: NetworkDialogProps) {
  const { mutate } = useSWRConfig();
  const { data: proposal } = useNetworkProposal(network === undefined);
  const [before] = useState(() => network && networkFormOf(network));
  const [changes, setChanges] = useState<Partial<NetworkForm>>({});
  const form: NetworkForm = { ...(before ?? emptyNetworkForm(proposal?.cidr ?? "")), ...changes };
  const [wasSent, setSent] = useState(false);
  const own = networkProblems(form, before);
  const server = useSubmit(...shownFields);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setSent(true);
    if (Object.keys(own).length > 0) return;
    await server.submit(async () => {
      const { pending } =
        network && before
          ? await apiRequest<Network>("PATCH", keys.network(network.id), updateRequestOf(form, before))
          : await apiRequest<Network>("POST", keys.networks, createRequestOf(form));
      await Promise.all([mutate(keys.networks), network && mutate(keys.network(network.id))]);
      const rest = pending === null ? "" : " The host has not put it into effect yet.";
      notify(`Network ${form.name} ${network ? "changed" : "created"}.${rest}`);
      onClose();
    });
  };
  return (
    <Dialog
      open
      onOpenChange={(isOpen) => isOpen || onClose()}
      width="lg"
      title={network ? `Change the network ${network.name}` : "Create a network"}
    >
      <form onSubmit={save} noValidate className="flex flex-col gap-4">
        <CannotEnforce what="routed ways out, connections to other networks, name servers and IPv6" />
        <NetworkFields
          form={form}
          onChange={(more) => {
            setChanges((present) => ({ ...present, ...more }));
            server.reset();
          }}
          problems={{ ...(wasSent ? own : {}), ...server.fields }}
          others={networks.filter(({ id }) => id !== network?.id)}
          present={network}
        />
        {server.error ? <Banner tone="bad">{server.error}</Banner> : null}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" loading={server.isPending}>
            {network ? "Save" : "Create network"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
