import { Skeleton } from "../../ui/Skeleton";

/** A VM's page while it is on its way. */
export function VmFrameSkeleton() {
  return (
    <div aria-busy>
      <span className="sr-only">Reading the VM.</span>
      <Skeleton className="mb-2 h-7 w-48" />
      <Skeleton className="mb-4 h-5 w-80 max-w-full" />
      <div className="h-9 border-line border-b" />
      <div className="grid gap-4 pt-4 lg:grid-cols-2">
        <Skeleton className="h-80 rounded-lg" />
        <Skeleton className="h-80 rounded-lg" />
      </div>
    </div>
  );
}
