"use client";

import { FileUp } from "lucide-react";
import { type DragEvent, useId, useState } from "react";
import { formatBytes } from "../../lib/domain/units";
import { cx } from "./cx";
import { FileInput } from "./FileInput";

interface DropZoneProps {
  /** The accessible name: "Image file". */
  label: string;
  /** What to do, while there is no file. */
  prompt: string;
  /** What it takes. */
  hint: string;
  file: File | undefined;
  onFile: (file: File) => void;
  problem: string | undefined;
  /** The file stays as it is: it is on its way. */
  disabled?: boolean;
}

/** Takes one file: dropped, or chosen by the browser's own dialog. */
export function DropZone({ label, prompt, hint, file, onFile, problem, disabled = false }: DropZoneProps) {
  const id = useId();
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const [dropped] = event.dataTransfer.files;
    if (dropped && !disabled) onFile(dropped);
  };
  return (
    <div>
      <label
        htmlFor={id}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(!disabled);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
        className={cx(
          "relative flex min-h-28 cursor-pointer flex-col items-center justify-center gap-1 rounded-lg border border-dashed px-4 py-6 text-center text-sm transition-colors duration-100",
          "has-disabled:cursor-default has-disabled:opacity-55 has-focus-visible:outline-2 has-focus-visible:outline-accent-ink has-focus-visible:outline-offset-2",
          isOver ? "border-accent bg-accent-soft/50" : "border-line-strong bg-sunken hover:border-control",
        )}
      >
        <FileUp aria-hidden className="size-5 text-muted" />
        {file ? (
          <span className="wrap-anywhere">
            <span className="font-medium">{file.name}</span>{" "}
            <span className="whitespace-nowrap text-muted">{formatBytes(file.size)}</span>
          </span>
        ) : (
          <span className="font-medium">{prompt}</span>
        )}
        <span className="text-muted text-xs">{hint}</span>
        <FileInput
          id={id}
          disabled={disabled}
          aria-label={label}
          aria-describedby={problem ? `${id}-problem` : undefined}
          aria-invalid={problem ? true : undefined}
          onFile={onFile}
        />
      </label>
      {problem ? (
        <p id={`${id}-problem`} role="alert" className="mt-1 text-bad-ink text-xs">
          {problem}
        </p>
      ) : null}
    </div>
  );
}
