"use client";

import { Pencil, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { useSWRConfig } from "swr";
import { apiRequest } from "../../../lib/api/client";
import type { Network, NetworkRemoval } from "../../../lib/domain/network";
import { keys } from "../../data/keys";
import { Button } from "../../ui/Button";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { notify } from "../../ui/notify";
import { PageHeader } from "../../ui/PageHeader";
import { whyNoDelete } from "../networkWords";

const NetworkDialog = dynamic(() => import("../NetworkDialog").then((module) => module.NetworkDialog));

/** A network's name and what can be done with it. */
export function NetworkHeader({ network, networks }: { network: Network; networks: readonly Network[] }) {
  const { mutate } = useSWRConfig();
  const [asked, setAsked] = useState<"edit" | "delete" | null>(null);
  const close = () => setAsked(null);
  return (
    <>
      <PageHeader
        title={network.name}
        description={network.description || undefined}
        actions={
          <>
            <Button icon={<Pencil aria-hidden />} onClick={() => setAsked("edit")}>
              Change
            </Button>
            <Button
              variant="dangerGhost"
              icon={<Trash2 aria-hidden />}
              disabledReason={whyNoDelete(network)}
              onClick={() => setAsked("delete")}
            >
              Delete
            </Button>
          </>
        }
      />
      {asked === "edit" ? <NetworkDialog networks={networks} network={network} onClose={close} /> : null}
      <ConfirmDialog
        open={asked === "delete"}
        onOpenChange={close}
        title={`Delete the network ${network.name}?`}
        confirmLabel="Delete network"
        onConfirm={async () => {
          const { pending } = await apiRequest<NetworkRemoval>("DELETE", keys.network(network.id));
          await Promise.all([mutate(keys.networks), mutate(keys.network(network.id))]);
          const rest = pending === null ? "" : " The host has not taken it away yet.";
          notify(`Network ${network.name} deleted.${rest}`);
        }}
      >
        Its reserved addresses are forgotten. No VM is in it.
      </ConfirmDialog>
    </>
  );
}
