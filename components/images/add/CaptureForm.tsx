"use client";

import { useSearchParams } from "next/navigation";
import { type FormEvent, useState } from "react";
import type { Snapshot } from "../../../lib/domain/snapshot";
import { whyNoSnapshotAct } from "../../../lib/domain/snapshotActions";
import { useList, useVms } from "../../data/hooks";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { ButtonLink } from "../../ui/ButtonLink";
import { Card } from "../../ui/Card";
import { EmptyState } from "../../ui/EmptyState";
import { Field } from "../../ui/Field";
import { Input } from "../../ui/Input";
import { Select } from "../../ui/Select";
import { keptWords, snapshotCopyWords, vmCopyWords } from "../capture/captureWords";
import { useAddImage } from "./useAddImage";

/** An image of a VM's disk as it is now, or as a snapshot kept it. `vm:3` and `snapshot:7` are the choices; `?vm=3` and `?snapshot=7` choose. */
export function CaptureForm() {
  const { data: vms } = useVms();
  const { data: snapshots } = useList<Snapshot>("/api/snapshots");
  const params = useSearchParams();
  const [chosen, setChosen] = useState(wantedDisk(params.get("vm"), params.get("snapshot")));
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");
  const form = useAddImage("name", "title", "vm", "snapshot");
  const whole = (snapshots ?? []).filter(({ status }) => status === "available");
  const first = vms?.[0] ? `vm:${vms[0].id}` : whole[0] ? `snapshot:${whole[0].id}` : undefined;
  const source = chosen ?? first;
  const vm = vms?.find(({ id }) => source === `vm:${id}`);
  const snapshot = whole.find(({ id }) => source === `snapshot:${id}`);
  const copyWords = vm ? vmCopyWords(vm.status) : snapshot && snapshotCopyWords(snapshot);
  if (vms && source === undefined) return <NothingToCapture />;

  const send = async (event: FormEvent) => {
    event.preventDefault();
    const [kind, id] = (source ?? "").split(":");
    const isDone = await form.add({
      [kind === "snapshot" ? "snapshot" : "vm"]: Number(id),
      name: name.trim(),
      ...(title.trim() && { title: title.trim() }),
    });
    if (!isDone) return;
    setName("");
    setTitle("");
  };
  return (
    <Card title="From a VM or a snapshot" description="A copy of its disk that needs nothing else.">
      <form onSubmit={send} className="grid max-w-3xl gap-4 sm:grid-cols-2">
        <Field label="Disk" hint={copyWords} error={form.fields.vm ?? form.fields.snapshot} className="sm:col-span-2">
          {(control) => (
            <Select {...control} value={source ?? ""} onChange={(event) => setChosen(event.target.value)}>
              <optgroup label="VMs, as they are now">
                {(vms ?? []).map((vm) => (
                  <option key={vm.id} value={`vm:${vm.id}`}>
                    {vm.name}
                  </option>
                ))}
              </optgroup>
              <optgroup label="Snapshots">
                {whole.map((snapshot) => (
                  <option key={snapshot.id} value={`snapshot:${snapshot.id}`}>
                    {snapshot.name} of {snapshot.vm.name}
                  </option>
                ))}
              </optgroup>
            </Select>
          )}
        </Field>
        <Field
          label="Name"
          error={form.fields.name}
          hint="How requests name it: small letters, digits, dots and dashes."
        >
          {(control) => (
            <Input
              {...control}
              mono
              required
              autoComplete="off"
              spellCheck={false}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label="Title" aside="optional" error={form.fields.title} hint="What people read.">
          {(control) => (
            <Input
              {...control}
              autoComplete="off"
              maxLength={120}
              value={title}
              onChange={(event) => setTitle(event.target.value)}
            />
          )}
        </Field>
        <div className="grid gap-4 sm:col-span-2">
          {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
          <p className="text-muted text-xs">{keptWords}</p>
          <Button
            type="submit"
            variant="primary"
            loading={form.isPending}
            disabledReason={vm && whyNoSnapshotAct("image", vm.status)}
            className="justify-self-start"
          >
            Make image
          </Button>
        </div>
      </form>
    </Card>
  );
}

function wantedDisk(vm: string | null, snapshot: string | null): string | undefined {
  if (snapshot) return `snapshot:${snapshot}`;
  return vm ? `vm:${vm}` : undefined;
}

function NothingToCapture() {
  return (
    <Card>
      <EmptyState
        title="There is no VM to make an image of"
        action={
          <ButtonLink href="/vms/new" variant="primary">
            Create a VM
          </ButtonLink>
        }
      >
        Set a VM up once, by hand if you like, and start any number of others from a copy of its disk.
      </EmptyState>
    </Card>
  );
}
