"use client";

import { Trash2 } from "lucide-react";
import { useState } from "react";
import type { Vm } from "../../../../lib/domain/vm";
import { Button } from "../../../ui/Button";
import { Card } from "../../../ui/Card";
import { DestroyDialog } from "../../actions/DestroyDialog";
import { whyNotNow } from "../../actions/whyNotNow";
import { lostWith } from "../../shared/vmWords";

export function DestroyCard({ vm }: { vm: Vm }) {
  const [isAsked, setAsked] = useState(false);
  return (
    <Card title="Destroy">
      <p className="mb-3 text-muted text-sm">{lostWith(vm)}</p>
      <Button
        variant="danger"
        icon={<Trash2 aria-hidden />}
        disabledReason={whyNotNow("destroy", vm.status)}
        onClick={() => setAsked(true)}
      >
        Destroy {vm.name}…
      </Button>
      <DestroyDialog vms={isAsked ? [vm] : []} onClose={() => setAsked(false)} />
    </Card>
  );
}
