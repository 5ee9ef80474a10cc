"use client";

import { useState } from "react";
import type { CatalogueItem } from "../../../lib/domain/catalogueItem";
import { ReadingState } from "../../data/ReadingState";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { EmptyState } from "../../ui/EmptyState";
import { Input } from "../../ui/Input";
import { SegmentedControl } from "../../ui/SegmentedControl";
import { useCatalogue, useImageTasks } from "../useImageData";
import { CatalogueRow } from "./CatalogueRow";
import { type ArchFilter, archFilters, filterCatalogue } from "./filterCatalogue";

/** Official cloud images, each with a button that fetches it. */
export function Catalogue() {
  const catalogue = useCatalogue();
  const tasks = useImageTasks().filter(({ kind }) => kind === "image-download");
  const [text, setText] = useState("");
  const [arch, setArch] = useState<ArchFilter>("all");
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <div className="w-full sm:w-72">
          <Input
            type="search"
            aria-label="Search the catalogue"
            placeholder="debian, 24.04, arch…"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
        <SegmentedControl
          label="Architecture"
          value={arch}
          onChange={setArch}
          options={archFilters.map((value) => ({ value, label: value === "all" ? "All" : value }))}
        />
      </div>
      <Card flush>
        <ReadingState reading={catalogue} what="catalogue">
          {(items) => {
            const shown = filterCatalogue(items, arch, text);
            if (shown.length === 0) return <NothingFound isFiltered={items.length > 0} onReset={() => setText("")} />;
            return (
              <ul aria-label="Catalogue">
                {shown.map((item: CatalogueItem) => (
                  <CatalogueRow key={item.id} item={item} task={tasks.find(({ subject }) => subject === item.id)} />
                ))}
              </ul>
            );
          }}
        </ReadingState>
      </Card>
    </>
  );
}

function NothingFound({ isFiltered, onReset }: { isFiltered: boolean; onReset: () => void }) {
  if (!isFiltered) return <EmptyState title="The catalogue is empty">Its data file lists nothing.</EmptyState>;
  return (
    <EmptyState title="No image matches" action={<Button onClick={onReset}>Show all</Button>}>
      Any other image can be brought by its address, or uploaded.
    </EmptyState>
  );
}
