"use client";

import { type FormEvent, useEffect, useRef, useState } from "react";
import { Banner } from "../../ui/Banner";
import { Card } from "../../ui/Card";
import { whyShapeDoesNotFit } from "../size/fits";
import { MemoryBar } from "../size/MemoryBar";
import { SizePicker } from "../size/SizePicker";
import { shapeOf } from "../size/sizeChoice";
import { AdvancedFields } from "./AdvancedFields";
import { type CreateForm, problemsOf, requestOf } from "./createForm";
import { ImagePicker } from "./ImagePicker";
import { findImage, refOf } from "./imageChoice";
import { type CreateChoices, initialForm } from "./initialForm";
import { KeyPicker } from "./KeyPicker";
import { NameField } from "./NameField";
import { Summary } from "./Summary";
import { useCreateVm } from "./useCreateVm";
import { useSubmitKey } from "./useSubmitKey";

const simpleFields = [
  ...["name", "image", "size", "vcpus", "memory", "disk", "sshKeys", "userData", "files"],
  ...["firmware", "network", "ipv4", "firewalls", "password", "users", "timezone", "locale", "packages"],
];

export function CreateVmForm(choices: CreateChoices) {
  const { images, sizes, sshKeys, host, takenNames } = choices;
  const [form, setForm] = useState(() => initialForm(choices));
  /** How often it was sent with problems: from then on all of them are shown, and each time the first gets the focus. */
  const [refusedCount, setRefusedCount] = useState(0);
  const formElement = useRef<HTMLFormElement>(null);
  const fileFields = form.files.flatMap((_, index) =>
    ["path", "content", "permissions"].map((f) => `files.${index}.${f}`),
  );
  const userFields = form.users.flatMap((_, index) =>
    ["name", "sshKeys", "password"].map((f) => `users.${index}.${f}`),
  );
  const server = useCreateVm([...simpleFields, ...fileFields, ...userFields]);
  useSubmitKey(formElement);
  useEffect(() => {
    if (refusedCount === 0) return;
    const first = formElement.current?.querySelector<HTMLElement>("[aria-invalid=true]");
    first?.scrollIntoView({ block: "center" });
    first?.focus({ preventScroll: true });
  }, [refusedCount]);

  const change = (changes: Partial<CreateForm>) => {
    setForm((before) => ({ ...before, ...changes }));
    server.reset();
  };
  const hostArch = host.report?.arch;
  const image = findImage(images, form.image, hostArch);
  const shape = shapeOf(form, sizes);
  const misfit = shape ? whyShapeDoesNotFit(shape, image, host) : undefined;
  const own = problemsOf(form);
  const problems = { ...(refusedCount > 0 ? own : typedProblems(own, form)), ...server.fields };
  // Custom values have fields for these; of a named size they are said under the cards.
  const sizeProblem = problems.size ?? (form.size === null ? undefined : (problems.memory ?? problems.disk));

  const send = (event: FormEvent) => {
    // React hands on what the forms of dialogs opened from here send, too.
    if (event.target !== event.currentTarget) return;
    event.preventDefault();
    if (server.isPending) return;
    if (Object.keys(own).length > 0 || misfit) setRefusedCount((count) => count + 1);
    else void server.create(requestOf(form)).then((isDone) => isDone || setRefusedCount((count) => count + 1));
  };

  return (
    <form
      ref={formElement}
      onSubmit={send}
      noValidate
      className="grid grid-cols-1 items-start gap-4 lg:grid-cols-[minmax(0,1fr)_22rem] xl:grid-cols-[minmax(0,1fr)_28rem]"
    >
      <div className="grid grid-cols-1 gap-4">
        <Card title="Image" description="The operating system that its disk begins with.">
          <ImagePicker
            images={images}
            host={host}
            chosen={image}
            onChange={(chosen) => change({ image: refOf(chosen, images, hostArch), firmware: null })}
          />
          <Problem text={problems.image} />
        </Card>
        <Card title="Size" description="Memory is what it takes from this host; the disk takes room only as it fills.">
          <SizePicker
            sizes={sizes}
            value={form}
            onChange={change}
            whyNot={(each) => whyShapeDoesNotFit(each, image, host)}
            problems={problems}
          />
          <Problem text={sizeProblem ?? (form.size === null ? undefined : misfit)} />
          <div className="mt-4">
            <MemoryBar host={host} wantedBytes={shape?.memoryBytes ?? null} />
          </div>
        </Card>
        <Card title="SSH keys" description="Whose owners may log in.">
          <KeyPicker
            saved={sshKeys}
            chosen={form.savedKeys}
            onChoose={(savedKeys) => change({ savedKeys })}
            ownKeys={form.ownKeys}
            onOwnKeys={(ownKeys) => change({ ownKeys })}
            problem={problems.sshKeys}
          />
        </Card>
        <Card title="Name">
          <NameField
            value={form.name}
            onChange={(name) => change({ name })}
            problem={problems.name}
            takenNames={takenNames}
          />
        </Card>
        <AdvancedFields form={form} onChange={change} problems={problems} image={image} />
      </div>
      <div className="grid grid-cols-1 gap-4 lg:sticky lg:top-16">
        {server.error ? <Banner tone="bad">{server.error}</Banner> : null}
        <Summary form={form} image={image} shape={shape} isPending={server.isPending} />
      </div>
    </form>
  );
}

function Problem({ text }: { text: string | undefined }) {
  if (text === undefined) return null;
  return (
    <p role="alert" className="mt-2 text-bad-ink text-xs">
      {text}
    </p>
  );
}

/** Problems worth telling before it is sent: of what was typed, not of what is still empty. */
function typedProblems(problems: Record<string, string>, form: CreateForm): Record<string, string> {
  const told = new Set([
    "name",
    "sshKeys",
    ...Object.entries(form.custom).flatMap(([key, text]) => (text ? [key] : [])),
  ]);
  return Object.fromEntries(Object.entries(problems).filter(([field]) => told.has(field)));
}
