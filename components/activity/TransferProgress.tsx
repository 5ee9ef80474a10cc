import type { Transfer } from "../../lib/domain/task";
import { ProgressBar } from "../ui/ProgressBar";
import { transferWords } from "./transferWords";

interface TransferProgressProps {
  /** The accessible name of the bar: "Upload of web-1.tar". */
  label: string;
  transfer: Transfer;
}

/** How much of a file has left the browser. */
export function TransferProgress({ label, transfer }: TransferProgressProps) {
  return (
    <div>
      <ProgressBar label={label} value={(100 * transfer.doneBytes) / Math.max(1, transfer.totalBytes ?? 1)} />
      <p className="mt-1.5 text-muted text-xs tabular-nums">
        {transferWords(transfer)}. Leaving this page ends the upload.
      </p>
    </div>
  );
}
