"use client";

import { useState } from "react";
import { messageOf } from "../../lib/domain/errors";
import type { Operation } from "../../lib/domain/operation";
import type { Snapshot } from "../../lib/domain/snapshot";
import { kindWords } from "../activity/operationWords";
import { Button } from "../ui/Button";
import { ProgressBar } from "../ui/ProgressBar";
import { requestCancel } from "./snapshotRequests";

/** How far the work on a snapshot is, and a way to end it. Deleting can't be ended: half of it would be gone. */
export function SnapshotProgress({ operation, snapshot }: { operation: Operation; snapshot: Pick<Snapshot, "name"> }) {
  const [error, setError] = useState<string>();
  const { id, kind, progress, message } = operation;
  const cancel = () => {
    setError(undefined);
    requestCancel(id).catch((thrown: unknown) => setError(messageOf(thrown)));
  };
  return (
    <div className="mt-1.5 max-w-sm">
      <div className="flex items-center gap-3">
        <ProgressBar label={`${kindWords[kind]}: ${snapshot.name}`} value={progress === 0 ? null : progress} />
        {kind === "snapshot-remove" ? null : (
          <Button size="sm" variant="ghost" onClick={cancel} aria-label={`Cancel: ${kindWords[kind]} ${snapshot.name}`}>
            Cancel
          </Button>
        )}
      </div>
      <p className="text-muted text-xs">
        {kindWords[kind]}: {message ?? "waiting for the host."}
      </p>
      {error ? (
        <p role="alert" className="text-bad-ink text-xs">
          {error}
        </p>
      ) : null}
    </div>
  );
}
