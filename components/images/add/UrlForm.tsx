"use client";

import { type FormEvent, useState } from "react";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { Input } from "../../ui/Input";
import { BroughtFields } from "./BroughtFields";
import { broughtProblems, broughtRequestOf } from "./broughtImage";
import { FailureBanner } from "./FailureBanner";
import { useAddImage } from "./useAddImage";
import { useBroughtImage } from "./useBroughtImage";
import { useOutcome } from "./useOutcome";

const shownFields = ["url", "name", "title", "kind", "arch", "firmware", "minMemory", "loginUser", "checksum"];

/** An image from any address. */
export function UrlForm() {
  const [url, setUrl] = useState("");
  const { image, ...brought } = useBroughtImage();
  const [wasSent, setSent] = useState(false);
  const form = useAddImage(...shownFields);
  const outcome = useOutcome(() => {
    setUrl("");
    brought.empty();
    setSent(false);
  });
  const own = { ...(url.trim() === "" && { url: "Give an address." }), ...broughtProblems(image) };
  const problems = { ...(wasSent ? own : {}), ...form.fields };

  const changed = () => {
    form.reset();
    outcome.change();
  };
  const changeUrl = (text: string) => {
    setUrl(text);
    changed();
    if (URL.canParse(text)) brought.guess(decodeURIComponent(new URL(text).pathname.split("/").pop() ?? ""));
  };
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setSent(true);
    if (Object.keys(own).length > 0) return;
    await form.add({ url: url.trim(), ...broughtRequestOf(image) }, outcome.follow);
  };
  return (
    <Card
      title="From an address"
      description="qcow2, raw or ISO, also compressed by gzip, xz or zstd. It is checked before anything starts from it."
    >
      <form onSubmit={send} noValidate className="grid max-w-3xl gap-4">
        <Field
          label="Address"
          error={problems.url}
          hint="http or https. Addresses within this network are refused unless CUMULUS_IMAGE_HOSTS names their host."
        >
          {(control) => (
            <Input
              {...control}
              type="url"
              mono
              required
              placeholder="https://example.org/disk.qcow2"
              value={url}
              onChange={(event) => changeUrl(event.target.value)}
            />
          )}
        </Field>
        <BroughtFields
          value={image}
          problems={problems}
          onChange={(changes) => {
            brought.change(changes);
            changed();
          }}
        />
        {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
        <FailureBanner error={outcome.error} />
        <Button
          type="submit"
          variant="primary"
          loading={form.isPending}
          disabledReason={outcome.isUnderWay ? "It is being downloaded: see above." : undefined}
          className="justify-self-start"
        >
          Download image
        </Button>
      </form>
    </Card>
  );
}
