import type { Operation } from "../../lib/domain/operation";
import { ProgressBar } from "../ui/ProgressBar";

/** How far the taking or copying of a backup is. */
export function BackupProgress({ operation: { progress, message }, label }: { operation: Operation; label: string }) {
  return (
    <span className="mt-1 block w-40 max-w-full">
      <ProgressBar label={label} value={progress === 0 ? null : progress} />
      {message ? <span className="block text-muted text-xs">{message}</span> : null}
    </span>
  );
}
