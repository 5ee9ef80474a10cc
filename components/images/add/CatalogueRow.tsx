"use client";

import { Plus } from "lucide-react";
import type { CatalogueItem } from "../../../lib/domain/catalogueItem";
import type { Operation } from "../../../lib/domain/operation";
import { formatBytes } from "../../../lib/domain/units";
import { isUnderWay } from "../../activity/operationWords";
import { Button } from "../../ui/Button";
import { TextLink } from "../../ui/TextLink";
import { ArchBadge, EndOfLifeBadge } from "../ImageBadges";
import { OsMonogram } from "../OsMonogram";
import { TaskProgress } from "../tasks/TaskProgress";
import { CancelButton } from "../tasks/TaskRow";
import { useAddImage } from "./useAddImage";

interface CatalogueRowProps {
  item: CatalogueItem;
  /** Its newest download. */
  task: Operation | undefined;
}

export function CatalogueRow({ item, task }: CatalogueRowProps) {
  const open = task && isUnderWay(task) ? task : undefined;
  const failure = task?.status === "failed" ? task.error : null;
  const form = useAddImage();
  return (
    <li className="border-line border-b px-4 py-3 text-sm last:border-b-0">
      <div className="flex flex-wrap items-start gap-x-3 gap-y-2">
        <OsMonogram title={item.title} />
        <div className="min-w-0 flex-1 basis-56">
          <p className="flex flex-wrap items-baseline gap-x-2 gap-y-1">
            <span className="font-medium">{item.title}</span>
            <code className="font-mono text-muted text-xs">{item.name}</code>
            <ArchBadge arch={item.arch} />
            <EndOfLifeBadge image={item} />
          </p>
          <p className="mt-0.5 text-muted text-xs">{factsOf(item)}</p>
        </div>
        <div className="flex items-center gap-3">
          {item.imageId === null ? null : <TextLink href={`/images/${item.imageId}`}>Here already</TextLink>}
          {open ? (
            <CancelButton operation={open} name={item.title} />
          ) : (
            <Button
              size="sm"
              icon={failure || item.imageId !== null ? undefined : <Plus aria-hidden />}
              loading={form.isPending}
              aria-label={`${verbOf(item, failure)} ${item.title}, ${item.arch}`}
              onClick={() => void form.add({ catalogue: item.id })}
            >
              {verbOf(item, failure)}
            </Button>
          )}
        </div>
      </div>
      {open ? (
        <div className="mt-2">
          <TaskProgress operation={open} />
        </div>
      ) : null}
      {form.error || failure ? (
        <p role="alert" className="wrap-anywhere mt-2 text-bad-ink text-xs">
          {form.error ?? failure}
        </p>
      ) : null}
    </li>
  );
}

function verbOf({ imageId }: CatalogueItem, failure: string | null): string {
  if (failure) return "Try again";
  return imageId === null ? "Add" : "Get the newest";
}

function factsOf(item: CatalogueItem): string {
  return [
    item.arch,
    `about ${formatBytes(item.downloadBytes)} to download`,
    `from ${formatBytes(item.minMemoryBytes)} memory and ${formatBytes(item.minDiskBytes)} disk`,
    `log in as ${item.loginUser}`,
    ...(item.endOfLife === null ? [] : [`supported until ${item.endOfLife}`]),
  ].join(" · ");
}
