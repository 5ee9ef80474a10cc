"use client";

import { X } from "lucide-react";
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { Button } from "../../ui/Button";
import { Field } from "../../ui/Field";
import { IconButton } from "../../ui/IconButton";
import { ProgressBar } from "../../ui/ProgressBar";
import { Textarea } from "../../ui/Textarea";
import { type TypingState, useTyping } from "./useTyping";

interface PastePanelProps {
  vmId: number;
  vmName: string;
  /** Why nothing can be typed now. */
  disabledReason: string | undefined;
  /** @param isDone whether all was typed */
  onClose: (isDone: boolean) => void;
}

/** Types a text into the VM as keystrokes: the one way in that works before the guest has any software of ours. */
export function PastePanel({ vmId, vmName, disabledReason, onClose }: PastePanelProps) {
  const [text, setText] = useState("");
  const { state, type, cancel } = useTyping(vmId);
  const area = useRef<HTMLTextAreaElement>(null);

  useEffect(() => {
    area.current?.focus();
    let isGone = false;
    // Where the browser asks and the user declines, or there is no secure context, the text is pasted by hand.
    navigator.clipboard?.readText().then(
      (copied) => {
        if (!isGone) setText((present) => present || copied);
      },
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, []);

  const isTyping = state.kind === "typing";
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (text !== "" && disabledReason === undefined && (await type(text))) onClose(true);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    cancel();
    onClose(false);
  };

  return (
    <form
      role="dialog"
      aria-label={`Paste text into ${vmName}`}
      onSubmit={submit}
      onKeyDown={onKeyDown}
      className="absolute inset-x-2 top-2 z-10 flex animate-pop-in flex-col gap-3 rounded-lg border border-line-strong bg-surface p-3 shadow-float sm:left-auto sm:w-104"
    >
      <Field
        label="Text to type"
        hint="Typed as keys of a US keyboard, so it works in a boot menu and at a login as well."
        error={state.kind === "failed" ? state.reason : undefined}
        aside={<IconButton label="Close" size="iconSm" icon={<X aria-hidden />} onClick={() => onClose(false)} />}
      >
        {(control) => (
          <Textarea
            {...control}
            ref={area}
            mono
            rows={7}
            value={text}
            readOnly={isTyping}
            onChange={(event) => setText(event.target.value)}
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
          />
        )}
      </Field>
      {isTyping ? <ProgressBar label="Typed" value={Math.round(((state.line - 1) / state.lineCount) * 100)} /> : null}
      <div className="flex items-center justify-between gap-3">
        <p role="status" className="text-muted text-sm">
          {progressText(state)}
        </p>
        {/* With keys: the button that was clicked would otherwise turn into the submitting one under the click. */}
        {isTyping ? (
          <Button key="cancel" onClick={cancel}>
            Cancel
          </Button>
        ) : (
          <Button
            key="type"
            type="submit"
            variant="primary"
            disabledReason={disabledReason ?? (text === "" ? "Paste or write a text first." : undefined)}
          >
            Type it
          </Button>
        )}
      </div>
    </form>
  );
}

function progressText(state: TypingState): string {
  if (state.kind === "typing") return `Typing line ${state.line} of ${state.lineCount}`;
  if (state.kind === "cancelled") return `Cancelled in line ${state.line} of ${state.lineCount}.`;
  return "";
}
