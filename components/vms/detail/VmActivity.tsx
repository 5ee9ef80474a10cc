"use client";

import { OperationTable } from "../../activity/OperationTable";
import { useOperations } from "../../data/hooks";
import { ReadingState } from "../../data/ReadingState";
import { Card } from "../../ui/Card";
import { EmptyState } from "../../ui/EmptyState";
import { useShownVm } from "./vmContext";

/** What was asked of this VM, by whom, and what came of it. */
export function VmActivity() {
  const vm = useShownVm();
  const operations = useOperations(vm.id);
  return (
    <Card flush>
      <ReadingState reading={operations} what="operations">
        {(items) =>
          items.length > 0 ? (
            <OperationTable operations={items} showVm={false} />
          ) : (
            <EmptyState title="Nothing has happened yet" />
          )
        }
      </ReadingState>
    </Card>
  );
}
