"use client";

import { Activity } from "lucide-react";
import { useState } from "react";
import { useOperations } from "../data/hooks";
import { ReadingState } from "../data/ReadingState";
import { Button } from "../ui/Button";
import { ButtonLink } from "../ui/ButtonLink";
import { Card } from "../ui/Card";
import { EmptyState } from "../ui/EmptyState";
import { Input } from "../ui/Input";
import { PageHeader } from "../ui/PageHeader";
import { SegmentedControl } from "../ui/SegmentedControl";
import { OperationTable } from "./OperationTable";
import { filterOperations, isUnderWay, type OperationFilter } from "./operationWords";

/** Everything that was asked for and that happened. */
export function ActivityPage() {
  const operations = useOperations();
  const [filter, setFilter] = useState<OperationFilter>("all");
  const [text, setText] = useState("");
  const running = operations.data?.filter(isUnderWay).length ?? 0;
  const failed = operations.data?.filter(({ status }) => status === "failed").length ?? 0;
  return (
    <>
      <PageHeader
        title="Activity"
        description="What was asked of VMs, images, snapshots and backups, by whom, and what came of it. Newest first."
      />
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <SegmentedControl
          label="Which operations"
          value={filter}
          onChange={setFilter}
          options={[
            { value: "all", label: "All" },
            { value: "running", label: countLabel("Running", running) },
            { value: "failed", label: countLabel("Failed", failed) },
          ]}
        />
        <div className="w-full sm:w-64">
          <Input
            type="search"
            aria-label="Search operations"
            placeholder="VM, image, person, what happened"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
      </div>
      <Card flush>
        <ReadingState reading={operations} what="operations">
          {(all) => {
            const shown = filterOperations(all, filter, text);
            if (shown.length > 0) return <OperationTable operations={shown} />;
            if (all.length === 0) return <NothingYet />;
            return (
              <EmptyState
                title="No operation matches"
                action={
                  <Button
                    onClick={() => {
                      setFilter("all");
                      setText("");
                    }}
                  >
                    Show all
                  </Button>
                }
              />
            );
          }}
        </ReadingState>
      </Card>
    </>
  );
}

function NothingYet() {
  return (
    <EmptyState
      icon={<Activity aria-hidden />}
      title="Nothing has happened yet"
      action={
        <ButtonLink href="/vms/new" variant="primary">
          Create a VM
        </ButtonLink>
      }
    >
      Every start, stop and change of a VM is listed here as it runs, with its result.
    </EmptyState>
  );
}

function countLabel(word: string, count: number) {
  return (
    <>
      {word}
      {count > 0 ? <span className="text-faint tabular-nums">{count}</span> : null}
    </>
  );
}
