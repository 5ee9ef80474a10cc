"use client";

import type { Operation } from "../../../lib/domain/operation";
import { isUnderWay } from "../../activity/operationWords";
import { Card } from "../../ui/Card";
import { useImageTasks } from "../useImageData";
import { TaskRow } from "./TaskRow";

interface ImageTasksProps {
  /** Which work is shown; that of removed images is not unless it is named. */
  kinds?: Operation["kind"][];
  /** Also what has just ended well; what has just failed is always shown. */
  showsEnded?: boolean;
  opensLog?: boolean;
}

const shownEnded = 3;
/** For as long as somebody may wonder about it. */
const recentMs = 60 * 60 * 1000;

/** Long work for images that is under way, and what of it has just ended. Nothing when there is none. */
export function ImageTasks({ kinds, showsEnded = false, opensLog = false }: ImageTasksProps) {
  const tasks = useImageTasks().filter(({ kind }) => (kinds ? kinds.includes(kind) : kind !== "image-remove"));
  const open = tasks.filter(isUnderWay);
  const ended = tasks.filter((task) => isRecent(task) && (showsEnded || task.status === "failed")).slice(0, shownEnded);
  if (open.length + ended.length === 0) return null;
  return (
    <Card flush title={open.length > 0 ? "Under way" : "Lately"} className="mb-4">
      <ul>
        {[...open, ...ended].map((operation, index) => (
          <TaskRow key={operation.id} operation={operation} opensLog={opensLog && index === 0} />
        ))}
      </ul>
    </Card>
  );
}

function isRecent({ finishedAt }: Operation): boolean {
  return finishedAt !== null && Date.now() - Date.parse(finishedAt) < recentMs;
}
