"use client";

import { useRef } from "react";
import { Button } from "../../ui/Button";
import { CodeBlock } from "../../ui/CodeBlock";
import { Field } from "../../ui/Field";
import { Textarea } from "../../ui/Textarea";
import { lineRange } from "./lineRange";
import { TemplatePicker } from "./TemplatePicker";
import { type FirstBootParts, type UserDataCheck, type UserDataProblem, useUserDataCheck } from "./useUserDataCheck";

const example = `#cloud-config
write_files:
  - path: /etc/motd
    content: |
      Welcome.
runcmd:
  - date > /root/first-boot
`;

interface UserDataFieldProps {
  value: string;
  onChange: (text: string) => void;
  /** What the server said when the form was sent. */
  problem: string | undefined;
  /** What else the first boot is asked for: it is merged with this. */
  firstBoot: FirstBootParts;
}

/** cloud-init user data, checked by the server while it is typed. */
export function UserDataField({ value, onChange, problem, firstBoot }: UserDataFieldProps) {
  const textarea = useRef<HTMLTextAreaElement>(null);
  const check = useUserDataCheck(value, firstBoot);
  const goToLine = (line: number) => {
    const { start, end } = lineRange(value, line);
    textarea.current?.focus();
    textarea.current?.setSelectionRange(start, end);
  };
  const isInvalid = check?.valid === false;
  return (
    <div>
      <TemplatePicker onPick={onChange} />
      <Field
        label="User data"
        aside={
          value === "" ? (
            <Button size="sm" variant="ghost" onClick={() => onChange(example)}>
              Insert an example
            </Button>
          ) : null
        }
        hint="A #cloud-config document, or a script that starts with #!. It runs once, at the first boot."
        error={isInvalid ? undefined : problem}
      >
        {(control) => (
          <Textarea
            {...control}
            ref={textarea}
            mono
            rows={9}
            spellCheck={false}
            aria-invalid={isInvalid || control["aria-invalid"]}
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
      </Field>
      {value.trim() === "" ? null : <Verdict check={check} isStale={check?.text !== value} onLine={goToLine} />}
      {/* Always there, so that nothing below moves under a pointer when an answer comes. */}
      <details className="mt-2 text-xs">
        <summary className="text-muted hover:text-ink">What the guest gets, with Cumulus' own part</summary>
        {check?.preview ? (
          <CodeBlock code={check.preview} what="merged user data" className="mt-2" />
        ) : (
          <p className="mt-2 text-faint">{isInvalid ? "Nothing, until the user data is valid." : "Checking…"}</p>
        )}
      </details>
    </div>
  );
}

interface VerdictProps {
  check: UserDataCheck | undefined;
  /** The text has changed since. */
  isStale: boolean;
  onLine: (line: number) => void;
}

function Verdict({ check, isStale, onLine }: VerdictProps) {
  return (
    <div aria-live="polite" className="mt-2 text-xs">
      {check === undefined || isStale ? (
        <p className="text-faint">Checking…</p>
      ) : (
        <>
          {check.valid ? <p className="text-ok-ink">This can be read.</p> : null}
          <Remarks remarks={check.problems} look="text-bad-ink" onLine={onLine} />
          <Remarks remarks={check.warnings} look="text-warn-ink" onLine={onLine} />
        </>
      )}
    </div>
  );
}

interface RemarksProps {
  remarks: readonly UserDataProblem[];
  look: string;
  onLine: (line: number) => void;
}

function Remarks({ remarks, look, onLine }: RemarksProps) {
  if (remarks.length === 0) return null;
  return (
    <ul className={`flex flex-col gap-0.5 ${look}`}>
      {remarks.map(({ line, message }) => (
        <li key={`${line} ${message}`}>
          {line === null ? null : (
            <button type="button" className="mr-1 font-medium underline" onClick={() => onLine(line)}>
              Line {line}:
            </button>
          )}
          {message}
        </li>
      ))}
    </ul>
  );
}
