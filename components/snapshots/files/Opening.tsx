import { LoaderCircle } from "lucide-react";

/** What stands where a folder will be. */
export function Opening() {
  return (
    <div role="status" className="flex items-center gap-3 p-4 text-muted text-sm">
      <LoaderCircle aria-hidden className="size-4 shrink-0 animate-spin" />
      <span>
        Opening the disk in a machine of its own. The first look takes some seconds, without hardware virtualization a
        minute or two; the next folders come at once.
      </span>
    </div>
  );
}
