import { Maximize2 } from "lucide-react";
import Link from "next/link";
import type { Vm } from "../../../../lib/domain/vm";
import { ButtonLink } from "../../../ui/ButtonLink";
import { Card } from "../../../ui/Card";
import { VmScreen } from "../../shared/VmScreen";

/** The VM's screen as a picture that opens the console. */
export function ScreenCard({ vm }: { vm: Vm }) {
  const href = `/vms/${vm.id}/console`;
  return (
    <Card
      title="Screen"
      actions={
        <ButtonLink href={href} size="sm" icon={<Maximize2 aria-hidden />}>
          Open the console
        </ButtonLink>
      }
    >
      <Link href={href} aria-label={`Open the console of ${vm.name}`} className="block rounded-sm">
        <VmScreen vm={vm} className="w-full" />
      </Link>
    </Card>
  );
}
