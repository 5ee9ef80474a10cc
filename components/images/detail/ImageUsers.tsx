import type { ImageDetail } from "../../../lib/domain/imageDetail";
import { Card } from "../../ui/Card";
import { TextLink } from "../../ui/TextLink";

/** Who holds on to an image: as long as anybody does, it can't be deleted. */
export function ImageUsers({ image: { vms, snapshots } }: { image: ImageDetail }) {
  return (
    <Card title="Used by">
      {vms.length + snapshots.length === 0 ? (
        <p className="text-muted text-sm">Nothing: it can be deleted.</p>
      ) : (
        <ul className="grid gap-1.5 text-sm">
          {vms.map((vm) => (
            <li key={vm.id}>
              VM <TextLink href={`/vms/${vm.id}`}>{vm.name}</TextLink>
            </li>
          ))}
          {snapshots.map((snapshot) => (
            <li key={snapshot.id}>
              Snapshot “{snapshot.name}” <span className="text-muted">of {snapshot.vmName}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
