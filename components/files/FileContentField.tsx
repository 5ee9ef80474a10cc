"use client";

import { FileUp } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { messageOf } from "../../lib/domain/errors";
import { binaryWords, type FileContent } from "../../lib/domain/fileContent";
import { Button } from "../ui/Button";
import { buttonClass } from "../ui/buttonClass";
import { Field } from "../ui/Field";
import { FileInput } from "../ui/FileInput";
import { Textarea } from "../ui/Textarea";
import { readContent } from "./readContent";

interface FileContentFieldProps {
  value: FileContent;
  onChange: (content: FileContent) => void;
  error: string | undefined;
  rows: number;
}

/** What a file holds: typed, or read from a file of one's own. Bytes that are no text are told by their number. */
export function FileContentField({ value, onChange, error, rows }: FileContentFieldProps) {
  const [problem, setProblem] = useState<string>();
  // While a file is read, what is beside it may change.
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  const change = (content: FileContent) => {
    setProblem(undefined);
    latest.current(content);
  };
  const choose = (file: File) => {
    readContent(file).then(change, (why: unknown) => setProblem(messageOf(why)));
  };
  const isBinary = value.encoding === "base64";
  return (
    <Field
      label="Content"
      aside={<FileButton label={isBinary ? "Choose another file" : "Choose a file"} onFile={choose} />}
      error={problem ?? error}
    >
      {(control) =>
        isBinary ? (
          <div className="flex flex-wrap items-center justify-between gap-2 rounded-md border border-line bg-sunken py-1 pr-1 pl-2.5 text-sm">
            <output {...control}>{binaryWords(value)}</output>
            <Button size="sm" variant="ghost" onClick={() => change({ content: "" })}>
              Write text instead
            </Button>
          </div>
        ) : (
          <Textarea
            {...control}
            mono
            rows={rows}
            spellCheck={false}
            value={value.content}
            onChange={(event) => change({ content: event.target.value })}
          />
        )
      }
    </Field>
  );
}

/** A button that opens the browser's own dialog for files. */
function FileButton({ label, onFile }: { label: string; onFile: (file: File) => void }) {
  const id = useId();
  return (
    <label
      htmlFor={id}
      className={buttonClass(
        "ghost",
        "sm",
        "relative cursor-pointer has-focus-visible:outline-2 has-focus-visible:outline-accent-ink has-focus-visible:outline-offset-2",
      )}
    >
      <FileUp aria-hidden />
      {label}
      <FileInput id={id} onFile={onFile} />
    </label>
  );
}
