"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { imageNameSchema } from "../../../lib/domain/image";
import type { Snapshot } from "../../../lib/domain/snapshot";
import { whyNoSnapshotAct } from "../../../lib/domain/snapshotActions";
import type { Vm } from "../../../lib/domain/vm";
import { useImages } from "../../data/hooks";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { Input } from "../../ui/Input";
import { useAddImage } from "../add/useAddImage";
import { imageNameOf, keptWords, snapshotCopyWords, vmCopyWords } from "./captureWords";

type MakeImageDialogProps = ({ vm: Pick<Vm, "id" | "name" | "status"> } | { snapshot: Snapshot }) & {
  onClose: () => void;
};

/** Asks for the name of an image of a VM's or a snapshot's disk, and says what will be copied. Then the images page tells how far it is. */
export function MakeImageDialog({ onClose, ...source }: MakeImageDialogProps) {
  const router = useRouter();
  const { data: images = [] } = useImages();
  const form = useAddImage("name", "title");
  const [name, setName] = useState(suggestedName(source));
  const [title, setTitle] = useState("");
  const problem = imageNameSchema.safeParse(name).error?.issues[0]?.message;
  const isTaken = images.some((image) => image.name === name);

  const send = async (event: FormEvent) => {
    event.preventDefault();
    const disk = "vm" in source ? { vm: source.vm.id } : { snapshot: source.snapshot.id };
    const isDone = await form.add({ ...disk, name, ...(title.trim() && { title: title.trim() }) });
    if (!isDone) return;
    onClose();
    router.push("/images");
  };
  const what = "vm" in source ? source.vm.name : `“${source.snapshot.name}” of ${source.snapshot.vm.name}`;
  return (
    <Dialog
      open
      onOpenChange={(open) => open || onClose()}
      title={`Make an image of ${what}`}
      description="A copy of its disk that needs nothing else, to start any number of new VMs from."
    >
      <form onSubmit={send} className="flex flex-col gap-4">
        {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
        <Field
          label="Name"
          hint={
            isTaken
              ? "There is an image of this name: from then on the name means this newer one."
              : "How requests name it: small letters, digits, dots and dashes."
          }
          error={problem ?? form.fields.name}
        >
          {(control) => (
            <Input
              {...control}
              mono
              value={name}
              maxLength={63}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              onChange={(event) => {
                setName(event.target.value);
                form.reset();
              }}
            />
          )}
        </Field>
        <Field label="Title" aside="optional" error={form.fields.title} hint="What people read.">
          {(control) => (
            <Input
              {...control}
              value={title}
              maxLength={120}
              autoComplete="off"
              onChange={(event) => setTitle(event.target.value)}
            />
          )}
        </Field>
        <Banner tone="neutral">
          {"vm" in source ? vmCopyWords(source.vm.status) : snapshotCopyWords(source.snapshot)}
        </Banner>
        <p className="text-muted text-xs">{keptWords}</p>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            variant="primary"
            loading={form.isPending}
            disabledReason={problem ?? ("vm" in source ? whyNoSnapshotAct("image", source.vm.status) : undefined)}
          >
            Make image
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function suggestedName(source: { vm: Pick<Vm, "name"> } | { snapshot: Snapshot }): string {
  if ("vm" in source) return imageNameOf(source.vm.name);
  return imageNameOf(source.snapshot.vm.name, source.snapshot.name);
}
