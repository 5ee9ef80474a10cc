import { Skeleton } from "../../ui/Skeleton";

/** The create page while what there is to choose from is on its way. */
export function CreateSkeleton() {
  return (
    <div aria-busy className="grid gap-4 lg:grid-cols-[minmax(0,1fr)_22rem] xl:grid-cols-[minmax(0,1fr)_28rem]">
      <span className="sr-only">Reading what there is to choose from.</span>
      <div className="grid gap-4">
        <Skeleton className="h-44 rounded-lg" />
        <Skeleton className="h-72 rounded-lg" />
        <Skeleton className="h-32 rounded-lg" />
      </div>
      <Skeleton className="h-96 rounded-lg" />
    </div>
  );
}
