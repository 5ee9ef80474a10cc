"use client";

import * as Radix from "radix-ui/alert-dialog";
import { type FormEvent, type ReactNode, useState } from "react";
import { Banner } from "./Banner";
import { Button } from "./Button";
import { buttonClass } from "./buttonClass";
import { dialogOverlayClass, dialogPanelClass } from "./dialogClass";
import { Field } from "./Field";
import { Input } from "./Input";
import { useReturnFocus } from "./useReturnFocus";

export interface ConfirmDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  /** What will happen, and what is lost. */
  children: ReactNode;
  /** The act itself: "Destroy web-1", not "OK". */
  confirmLabel: string;
  tone?: "danger" | "primary";
  /** When given, this text must be typed first. */
  requireText?: string;
  /** The dialog closes when it is done; when it throws, the error stands in the dialog. */
  onConfirm: () => Promise<void>;
}

/** What `ConfirmDialog` shows. */
export function ConfirmPanel({ open, onOpenChange, ...rest }: ConfirmDialogProps) {
  const returnFocus = useReturnFocus();
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={dialogOverlayClass} />
        <Radix.Content className={dialogPanelClass("md")} onCloseAutoFocus={returnFocus}>
          <ConfirmForm {...rest} onDone={() => onOpenChange(false)} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

type ConfirmFormProps = Omit<ConfirmDialogProps, "open" | "onOpenChange"> & { onDone: () => void };

function ConfirmForm({
  title,
  children,
  confirmLabel,
  tone = "danger",
  requireText,
  onConfirm,
  onDone,
}: ConfirmFormProps) {
  const [typed, setTyped] = useState("");
  const [isPending, setPending] = useState(false);
  const [error, setError] = useState<string>();
  const isMissingText = requireText !== undefined && typed !== requireText;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    // React hands it on to a form that the dialog is opened in, which is not what is sent.
    event.stopPropagation();
    if (isMissingText || isPending) return;
    setPending(true);
    setError(undefined);
    try {
      await onConfirm();
      onDone();
    } catch (thrown) {
      setError(thrown instanceof Error ? thrown.message : String(thrown));
      setPending(false);
    }
  };

  return (
    <form onSubmit={submit} className="flex min-h-0 flex-col">
      <Radix.Title className="px-4 pt-4 font-medium text-lg">{title}</Radix.Title>
      <div className="flex flex-col gap-3 overflow-y-auto px-4 pt-2 pb-4">
        <Radix.Description asChild>
          <div className="text-muted text-sm">{children}</div>
        </Radix.Description>
        {requireText === undefined ? null : (
          <Field label={`Type ${requireText} to go on`}>
            {(control) => (
              <Input
                {...control}
                mono
                value={typed}
                autoComplete="off"
                onChange={(event) => setTyped(event.target.value)}
              />
            )}
          </Field>
        )}
        {error ? <Banner tone="bad">{error}</Banner> : null}
      </div>
      <footer className="flex justify-end gap-2 border-line border-t px-4 py-3">
        <Radix.Cancel className={buttonClass("secondary", "md")}>Cancel</Radix.Cancel>
        <Button
          type="submit"
          variant={tone}
          loading={isPending}
          disabledReason={isMissingText ? `Type ${requireText} first.` : undefined}
        >
          {confirmLabel}
        </Button>
      </footer>
    </form>
  );
}
