import { Skeleton } from "../../ui/Skeleton";

const rows = ["a", "b", "c", "d", "e"];

/** The list's place while it is on its way. */
export function VmListSkeleton() {
  return (
    <div aria-busy className="rounded-lg border border-line bg-surface">
      <span className="sr-only">Reading the list of VMs.</span>
      <div className="h-9 border-line border-b max-md:hidden" />
      {rows.map((row) => (
        <div key={row} className="flex h-[62px] items-center gap-4 border-line border-b px-4 last:border-b-0">
          <Skeleton className="size-4" />
          <Skeleton className="h-[45px] w-18" />
          <Skeleton className="h-3.5 w-28" />
          <Skeleton className="h-3.5 w-32 max-md:hidden" />
          <Skeleton className="ml-auto h-3.5 w-40 max-md:hidden" />
        </div>
      ))}
    </div>
  );
}
