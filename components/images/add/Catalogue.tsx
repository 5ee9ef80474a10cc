"use client";

import { useSearchParams } from "next/navigation";
import { useState } from "react";
import { useHost } from "../../data/hooks";
import { ReadingState } from "../../data/ReadingState";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { EmptyState } from "../../ui/EmptyState";
import { Input } from "../../ui/Input";
import { SegmentedControl } from "../../ui/SegmentedControl";
import { useCatalogue, useCatalogueProblems, useImageTasks } from "../useImageData";
import { CatalogueRow } from "./CatalogueRow";
import { type ArchFilter, archFilters, filterCatalogue } from "./filterCatalogue";
import { groupCatalogue } from "./groupCatalogue";

/** Official cloud images, each with a button that fetches it: those that the host runs at full speed, unless others are asked for. `?arch=…` does. */
export function Catalogue() {
  const catalogue = useCatalogue();
  const problems = useCatalogueProblems();
  const tasks = useImageTasks().filter(({ kind }) => kind === "image-download");
  const [text, setText] = useState("");
  const { arch, choose } = useArchFilter();
  return (
    <>
      {problems.map((problem) => (
        <Banner key={problem} tone="warn" className="mb-3">
          {problem}
        </Banner>
      ))}
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
          value={arch ?? "all"}
          onChange={choose}
          options={archFilters.map((value) => ({ value, label: value === "all" ? "All" : value }))}
        />
      </div>
      <Card flush>
        <ReadingState reading={arch === undefined ? { ...catalogue, data: undefined } : catalogue} what="catalogue">
          {(items) => {
            const shown = filterCatalogue(items, arch ?? "all", text);
            if (shown.length === 0) {
              const others = filterCatalogue(items, "all", text).length;
              const reset = others > 0 ? () => choose("all") : () => setText("");
              return <NothingFound isEmpty={items.length === 0} others={others} onReset={reset} />;
            }
            return groupCatalogue(shown, items, Date.now()).map((group) => (
              <section key={group.title} className="border-line border-b last:border-b-0">
                <h2 className="border-line border-b bg-sunken px-4 py-1.5 text-muted text-xs">{group.title}</h2>
                <ul aria-label={`Catalogue: ${group.title}`}>
                  {group.items.map((item) => (
                    <CatalogueRow key={item.id} item={item} task={tasks.find(({ subject }) => subject === item.id)} />
                  ))}
                </ul>
              </section>
            ));
          }}
        </ReadingState>
      </Card>
    </>
  );
}

/** What was chosen, kept in the address too, so that it outlives a look at another way to an image; else the host's own. Undefined while that is read. */
function useArchFilter() {
  const wanted = useSearchParams();
  const { data: host, error } = useHost();
  const [chosen, setChosen] = useState(archFilters.find((filter) => filter === wanted.get("arch")));
  const choose = (filter: ArchFilter) => {
    setChosen(filter);
    const next = new URLSearchParams(wanted);
    next.set("arch", filter);
    window.history.replaceState(null, "", `?${next}`);
  };
  const own = host || error ? (host?.report?.arch ?? "all") : undefined;
  return { arch: chosen ?? own, choose };
}

interface NothingFoundProps {
  /** Whether there is nothing to find. */
  isEmpty: boolean;
  /** How many match for other architectures. */
  others: number;
  onReset: () => void;
}

function NothingFound({ isEmpty, others, onReset }: NothingFoundProps) {
  if (isEmpty) return <EmptyState title="The catalogue is empty">Its data file lists nothing.</EmptyState>;
  if (others > 0) {
    return (
      <EmptyState
        title="No image of this architecture matches"
        action={<Button onClick={onReset}>{others === 1 ? "Show 1 of another" : `Show ${others} of others`}</Button>}
      >
        This host can emulate another architecture, slowly.
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No image matches" action={<Button onClick={onReset}>Show all</Button>}>
      Any other image can be brought by its address, or uploaded.
    </EmptyState>
  );
}
