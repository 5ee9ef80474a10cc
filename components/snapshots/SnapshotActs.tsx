"use client";

import { Disc3, Download, Ellipsis, FolderOpen, History, PenLine, Plus, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useState } from "react";
import type { Snapshot } from "../../lib/domain/snapshot";
import type { Vm } from "../../lib/domain/vm";
import { IconButton } from "../ui/IconButton";
import { Menu, MenuItem, MenuSeparator } from "../ui/Menu";
import { filesHref } from "./files/guestPaths";
import { whyNotRestorable, whyNotUsable } from "./snapshotWords";

const RestoreDialog = dynamic(() => import("./RestoreDialog").then((module) => module.RestoreDialog));
const VmFromSnapshotDialog = dynamic(() => import("./VmFromSnapshotDialog").then((m) => m.VmFromSnapshotDialog));
const RenameSnapshotDialog = dynamic(() => import("./RenameSnapshotDialog").then((m) => m.RenameSnapshotDialog));
const DeleteSnapshotDialog = dynamic(() => import("./DeleteSnapshotDialog").then((m) => m.DeleteSnapshotDialog));
const ExportDialog = dynamic(() => import("./ExportDialog").then((module) => module.ExportDialog));
const MakeImageDialog = dynamic(() =>
  import("../images/capture/MakeImageDialog").then((module) => module.MakeImageDialog),
);

interface SnapshotActsProps {
  snapshot: Snapshot;
  /** Its VM, when that is live and known. */
  vm: Vm | undefined;
  /** Something is being done with it. */
  isBusy: boolean;
}

/** What can be done with a snapshot. */
export function SnapshotActs({ snapshot, vm, isBusy }: SnapshotActsProps) {
  const [asked, setAsked] = useState<"restore" | "vm" | "rename" | "image" | "export" | "delete">();
  const router = useRouter();
  const close = () => setAsked(undefined);
  const { name } = snapshot;
  const whyNotNow = isBusy ? "Something is being done with it." : undefined;
  const whyNotUsed = whyNotUsable(snapshot);
  return (
    <span className="inline-flex items-center gap-0.5">
      <IconButton
        size="iconSm"
        label={`Restore ${snapshot.vm.name} to ${name}`}
        icon={<History aria-hidden />}
        disabledReason={whyNotNow ?? whyNotRestorable(snapshot, vm)}
        onClick={() => setAsked("restore")}
      />
      <IconButton
        size="iconSm"
        label={`New VM from ${name}`}
        icon={<Plus aria-hidden />}
        disabledReason={whyNotUsed}
        onClick={() => setAsked("vm")}
      />
      <Menu trigger={<IconButton size="iconSm" label={`More for ${name}`} icon={<Ellipsis aria-hidden />} />}>
        <MenuItem icon={<PenLine aria-hidden />} onSelect={() => setAsked("rename")}>
          Name and note…
        </MenuItem>
        <MenuItem
          icon={<FolderOpen aria-hidden />}
          disabledReason={whyNotUsed}
          onSelect={() => router.push(filesHref(snapshot.id))}
        >
          Browse files
        </MenuItem>
        <MenuItem icon={<Disc3 aria-hidden />} disabledReason={whyNotUsed} onSelect={() => setAsked("image")}>
          Make image…
        </MenuItem>
        <MenuItem
          icon={<Download aria-hidden />}
          disabledReason={whyNotNow ?? whyNotUsed}
          onSelect={() => setAsked("export")}
        >
          Export…
        </MenuItem>
        <MenuSeparator />
        <MenuItem
          icon={<Trash2 aria-hidden />}
          tone="danger"
          disabledReason={whyNotNow ?? whyNotUsed}
          onSelect={() => setAsked("delete")}
        >
          Delete…
        </MenuItem>
      </Menu>
      {asked === "restore" ? <RestoreDialog snapshot={snapshot} onClose={close} /> : null}
      {asked === "vm" ? <VmFromSnapshotDialog snapshot={snapshot} onClose={close} /> : null}
      {asked === "rename" ? <RenameSnapshotDialog snapshot={snapshot} onClose={close} /> : null}
      {asked === "image" ? <MakeImageDialog snapshot={snapshot} onClose={close} /> : null}
      {asked === "export" ? <ExportDialog what={name} path={`/api/snapshots/${snapshot.id}`} onClose={close} /> : null}
      {asked === "delete" ? <DeleteSnapshotDialog snapshot={snapshot} onClose={close} /> : null}
    </span>
  );
}
