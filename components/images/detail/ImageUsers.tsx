"use client";

import type { ImageDetail } from "../../../lib/domain/imageDetail";
import { useVms } from "../../data/hooks";
import { Card } from "../../ui/Card";
import { TextLink } from "../../ui/TextLink";

/** Who holds on to an image: as long as anybody does, it can't be deleted. */
export function ImageUsers({ image: { kind, vms, snapshots } }: { image: ImageDetail }) {
  const { data: live = [] } = useVms();
  return (
    <Card title="Used by">
      {vms.length + snapshots.length === 0 ? (
        <p className="text-muted text-sm">Nothing: it can be deleted.</p>
      ) : (
        <ul className="grid gap-1.5 text-sm">
          {vms.map((vm) => (
            <li key={vm.id}>
              {kind === "iso" ? "The CD-ROM drive of" : "VM"} <TextLink href={`/vms/${vm.id}`}>{vm.name}</TextLink>
            </li>
          ))}
          {snapshots.map(({ id, name, vmId, vmName }) => {
            const isLive = live.some((vm) => vm.id === vmId);
            return (
              <li key={id}>
                Snapshot <TextLink href={isLive ? `/vms/${vmId}/snapshots` : "/snapshots"}>“{name}”</TextLink>{" "}
                <span className="text-muted">
                  of {vmName}
                  {isLive ? null : " (destroyed)"}
                </span>
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}
