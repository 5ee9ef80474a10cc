"use client";

import { type FormEvent, useState } from "react";
import { TransferProgress } from "../../activity/TransferProgress";
import { UploadGuard } from "../../activity/UploadGuard";
import { useOperations } from "../../data/hooks";
import { useFileUpload } from "../../data/useFileUpload";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { DropZone } from "../../ui/DropZone";
import { notify } from "../../ui/notify";
import { BroughtFields } from "./BroughtFields";
import { broughtProblems, uploadQueryOf } from "./broughtImage";
import { FailureBanner } from "./FailureBanner";
import { useBroughtImage } from "./useBroughtImage";
import { useOutcome } from "./useOutcome";

const shownFields = ["fileName", "name", "title", "kind", "arch", "firmware", "minMemory", "loginUser", "checksum"];

/** An image from the reader's own disk. */
export function UploadForm() {
  const operations = useOperations();
  const [file, setFile] = useState<File>();
  const { image, ...brought } = useBroughtImage();
  const [wasSent, setSent] = useState(false);
  const form = useFileUpload(...shownFields);
  const outcome = useOutcome(() => {
    setFile(undefined);
    brought.empty();
    setSent(false);
  });
  const own = { ...(file === undefined && { fileName: "Choose a file." }), ...broughtProblems(image) };
  const problems = { ...(wasSent ? own : {}), ...form.fields };

  const changed = () => {
    form.reset();
    outcome.change();
  };
  const take = (chosen: File) => {
    setFile(chosen);
    changed();
    brought.guess(chosen.name);
  };
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setSent(true);
    if (!file || Object.keys(own).length > 0) return;
    const operation = await form.upload(`PUT /api/images/upload?${uploadQueryOf(file.name, image)}`, file);
    operations.reload();
    if (!operation) return;
    outcome.follow(operation);
    notify(`${operation.subject} was sent, and is being checked.`);
  };
  return (
    <Card title="From this computer" description="The file goes straight to the host's disk, and is checked there.">
      <form onSubmit={send} noValidate className="grid max-w-3xl gap-4">
        <DropZone
          label="Image file"
          prompt="Drop an image here, or choose one"
          hint="qcow2, raw or ISO, also as .gz, .xz or .zst, at most 64 GiB"
          file={file}
          onFile={take}
          problem={problems.fileName}
          disabled={form.isPending}
        />
        <fieldset disabled={form.isPending} className="contents">
          <BroughtFields
            value={image}
            problems={problems}
            onChange={(changes) => {
              brought.change(changes);
              changed();
            }}
          />
        </fieldset>
        {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
        <FailureBanner error={outcome.error} />
        {form.transfer ? (
          <TransferProgress label={`Upload of ${file?.name ?? "the file"}`} transfer={form.transfer} />
        ) : null}
        <UploadGuard isOn={form.transfer !== undefined} />
        <div className="flex gap-2">
          <Button
            type="submit"
            variant="primary"
            loading={form.isPending}
            disabledReason={outcome.isUnderWay ? "It is being checked: see above." : undefined}
          >
            Upload image
          </Button>
          {form.transfer ? <Button onClick={form.cancel}>Cancel upload</Button> : null}
        </div>
      </form>
    </Card>
  );
}
