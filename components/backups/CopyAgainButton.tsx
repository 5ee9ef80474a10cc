"use client";

import { apiRequest } from "../../lib/api/client";
import { formatExact } from "../../lib/browser/time";
import { type Backup, whyNotCopiedAgain } from "../../lib/domain/backup";
import { keys } from "../data/keys";
import { useSubmit } from "../data/useSubmit";
import { Button } from "../ui/Button";
import { notify } from "../ui/notify";
import { momentOf } from "./backupWords";

/** Asks for another try at a copy that failed. */
export function CopyAgainButton({ backup, onDone }: { backup: Backup; onDone: () => void }) {
  const { isPending, error, submit } = useSubmit();
  const copyAgain = async () => {
    const isDone = await submit(() => apiRequest("POST", `${keys.backups(backup.vm.id)}/${backup.id}/copy`, {}));
    if (!isDone) return;
    onDone();
    notify("The backup is being copied again.");
  };
  return (
    <span className="flex flex-col items-end">
      <Button
        size="sm"
        variant="ghost"
        aria-label={`Copy the backup of ${formatExact(momentOf(backup))} again`}
        loading={isPending}
        disabledReason={whyNotCopiedAgain(backup)}
        onClick={() => void copyAgain()}
      >
        Copy again
      </Button>
      {error ? (
        <span role="alert" className="text-bad-ink text-xs">
          {error}
        </span>
      ) : null}
    </span>
  );
}
