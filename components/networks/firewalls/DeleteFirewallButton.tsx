"use client";

import { Trash2 } from "lucide-react";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { useSWRConfig } from "swr";
import { apiRequest } from "../../../lib/api/client";
import type { Firewall } from "../../../lib/domain/firewall";
import { keys } from "../../data/keys";
import { Button } from "../../ui/Button";
import { ConfirmDialog } from "../../ui/ConfirmDialog";
import { notify } from "../../ui/notify";

export function DeleteFirewallButton({ firewall: { id, name, vms } }: { firewall: Firewall }) {
  const router = useRouter();
  const { mutate } = useSWRConfig();
  const [isAsked, setAsked] = useState(false);
  const reason = vms.length > 0 ? `${vms.length === 1 ? "A VM has" : `${vms.length} VMs have`} it.` : undefined;
  return (
    <>
      <Button
        variant="dangerGhost"
        icon={<Trash2 aria-hidden />}
        disabledReason={reason}
        onClick={() => setAsked(true)}
      >
        Delete
      </Button>
      <ConfirmDialog
        open={isAsked}
        onOpenChange={setAsked}
        title={`Delete the firewall ${name}?`}
        confirmLabel="Delete firewall"
        onConfirm={async () => {
          await apiRequest("DELETE", `${keys.firewalls}/${id}`);
          router.push("/networks/firewalls");
          await mutate(keys.firewalls);
          notify(`Firewall ${name} deleted.`);
        }}
      >
        Its rules are forgotten. No VM has it.
      </ConfirmDialog>
    </>
  );
}
